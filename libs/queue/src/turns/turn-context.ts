import type { Fifo } from '@millrace/core';
import type { Taken } from '../store/taken.js';

/** What turns are made for. */
export interface TurnContext {
  /** For so long each turn renews the lease. */
  readonly leaseMs: number;
  /** How many more messages the consumer wants now. */
  wanted(): number;
  /** Most bytes that those may have, while it is unknown how large messages are. */
  maxBytes(): number | undefined;
  /** Most of them in one turn. */
  portion(): number;
  /** Whether a turn may be sent while another is under way. */
  readonly mayAskAhead: boolean;
  /** Holds messages: none of them is left in the queue that it is given. Must not throw. */
  take(messages: Fifo<Taken>): void;
  /** Starts to handle what it holds. Must not throw. */
  begin(): void;
  /** The messages that the consumer knows to hold from here. */
  heldIds(): Set<string>;
  /** How many messages it holds that came from here. */
  held(): number;
  /** Messages became dead letters, which are to be carried on. */
  died(): void;
  /** The consumer gave a verdict on messages that were no longer its own. */
  lostMessages(ids: readonly string[]): void;
  /** A turn is over: from `sentAt` on, by the monotonic clock, the lease is renewed. `isAlone`: the queue has no other consumer. */
  turnEnded(isAlone: boolean, sentAt: number): void;
  /** The registration is gone, and with it all that was held. */
  lostLease(): void;
  failed(error: unknown): void;
}
