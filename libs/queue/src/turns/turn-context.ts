import type { Fifo } from '@millrace/core';
import type { RedisConnection } from '@millrace/redis';
import type { Taken } from '../store/taken.js';
import type { Outbox } from './outbox.js';

/** What the turns of one shard are made of. */
export interface ShardTurnsParts {
  readonly connection: RedisConnection;
  /** For so long each turn renews the lease. */
  readonly leaseMs: number;
  readonly buffer: TurnContext;
  /** Turns bring what is put in here to Redis. */
  readonly outbox: Outbox;
  readonly listener: TurnListener;
}

/** What turns are made for: what a consumer holds of one shard, and has room for. */
export interface TurnContext {
  /** How many more messages the consumer wants now. */
  wanted(): number;
  /** Most bytes that those may have, while it is unknown how large messages are. */
  readonly maxBytes: number | undefined;
  /** Most of them in one turn. */
  readonly portion: number;
  /** Whether a turn may be sent while another is under way. */
  readonly mayAskAhead: boolean;
  /** Holds messages: none of them is left in the queue that it is given. Must not throw. */
  take(messages: Fifo<Taken>): void;
  /** Starts to handle what it holds. Must not throw. */
  begin(): void;
  /** Ids of what it holds. */
  ids(): Set<string>;
  /** How many messages it holds. */
  readonly count: number;
}

/** Hears what turns brought. */
export interface TurnListener {
  /** Redis has so many acknowledgements. */
  acknowledged(count: number): void;
  /** These are not, or no longer, this consumer's: they were settled or are held here. */
  lostMessages(ids: readonly string[]): void;
  /**
   * @param isAlone whether the queue has no other consumer
   * @param sentAt when it was sent, by the monotonic clock: from then on the lease that it renewed lasts
   */
  turnEnded(isAlone: boolean, sentAt: number): void;
  /** Messages became dead letters, which are to be carried on. */
  died(): void;
  /** The registration is gone, and with it all that was held. */
  lostRegistration(): void;
  failed(error: unknown): void;
}
