import type { Verdict } from '../store/settle.js';
import type { Taken } from '../store/turn.js';

/** What turns are made for. */
export interface TurnUser {
  /** How many more messages the consumer wants now. */
  wanted(): number;
  /** Most bytes that those may have, while nobody knows yet how large messages are. */
  maxBytes(): number | undefined;
  /** Takes messages. Must not throw. */
  take(messages: readonly Taken[]): void;
  /** Whether the consumer knows that it holds this message. */
  holds(id: string): boolean;
  /** How many messages it holds that came from here. */
  held(): number;
  /** These verdicts are carried out. */
  settled(verdicts: readonly Verdict[]): void;
  /** The consumer gave a verdict on messages that were no longer its own. */
  lostMessages(ids: readonly string[]): void;
  /** A turn is over. */
  turnEnded(): void;
  /** The registration is gone, and with it all that was held. */
  lostLease(): void;
  failed(error: unknown): void;
}
