import type { CodecRegistry } from '@millrace/core';
import type { Events } from '@millrace/delivery';
import type { RedisConnection } from '@millrace/redis';
import type { RpcResponder } from '../rpc/rpc-responder.js';
import type { TurnState } from '../store/turn.js';

/** What a consumer needs of the Broker that made it. */
export interface ConsumerContext {
  readonly connection: RedisConnection;
  readonly codecs: CodecRegistry;
  readonly events: Events;
  /** Where a queue's messages are: one slot, or one a shard. */
  slotsOf(queue: string): Promise<readonly string[]>;
  /** Carries dead letters of a slot to where they go. Never rejects. */
  carryDeadLetters(slot: string): void;
  /** Sends replies to requests. */
  readonly responder: RpcResponder;
  /** The last consumer of an auto-delete queue may have gone. */
  consumerLeft(queue: string): Promise<void>;
  stopped(consumer: object): void;
}

/** Where a consumer stands at the moment. */
export interface ConsumerStatus {
  /** The queue it consumes from. */
  readonly queue: string;
  /** How it is called in lists, logs and metrics. */
  readonly name: string;
  /** Where this process has it between start and stop. */
  readonly state: 'idle' | 'starting' | 'running' | 'paused' | 'stopping' | 'stopped';
  /** What Redis lets it do: `paused` when the queue is, `standby` while another is the single active consumer. */
  readonly turn: TurnState;
  /** Its id in Redis; undefined while it has no registration, as during an outage. */
  readonly consumer: string | undefined;
  /** Messages whose handlers run. */
  readonly running: number;
  /** Messages it holds: running ones and those read ahead. */
  readonly held: number;
}
