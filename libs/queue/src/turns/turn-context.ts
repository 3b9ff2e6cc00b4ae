import type { Fifo } from '@millrace/core';
import type { RedisConnection } from '@millrace/redis';
import type { Taken } from '../store/taken.js';
import type { Outbox } from './outbox.js';

/** What the turns of one shard are made of. */
export interface ShardTurnsParts {
  readonly connection: RedisConnection;
  /** Each turn renews the lease for this time. */
  readonly leaseMs: number;
  readonly buffer: TurnContext;
  /** Turns send its contents to Redis. */
  readonly outbox: Outbox;
  readonly listener: TurnListener;
}

/** What turns are made for: what a consumer holds of one shard, and has room for. */
export interface TurnContext {
  /** How many more messages the consumer wants now. */
  wanted(): number;
  /** Most bytes of these messages, while their size is unknown. */
  readonly maxBytes: number | undefined;
  /** Most messages per turn. */
  readonly fetchSize: number;
  /** Whether a turn may be sent while another is under way. */
  readonly mayAskAhead: boolean;
  /** Holds messages: empties the queue that it is given. Must not throw. */
  take(messages: Fifo<Taken>): void;
  /** Starts handlers for what it holds. Must not throw. */
  begin(): void;
  /** Ids of what it holds. */
  ids(): Set<string>;
  /** How many messages it holds. */
  readonly count: number;
}

/** Gets the results of turns. */
export interface TurnListener {
  /** Redis has confirmed this many acknowledgements. */
  acknowledged(count: number): void;
  /** These do not, or no longer, belong to this consumer: they were settled or are held here. */
  lostMessages(ids: readonly string[]): void;
  /**
   * @param isAlone whether the queue has no other consumer
   * @param sentAt when it was sent, by the monotonic clock: the renewed lease counts from then
   */
  turnEnded(isAlone: boolean, sentAt: number): void;
  /** Messages became dead letters, which must be carried on. */
  died(): void;
  /** The registration is gone, and with it all messages held. */
  lostRegistration(): void;
  failed(error: unknown): void;
}
