import type { RedisConnection } from '@millrace/redis';
import type { QueueSettings } from '../model/queue-settings.js';
import type { ConsumerKeys } from '../store/consumer-keys.js';
import { isHeld, writeProgress } from '../store/progress.js';
import type { MessageOrigin, SettlementOutbox } from './held-message.js';
import type { MessageBuffer } from './message-buffer.js';

/** What a shard needs of its consumer. */
export interface ShardOriginContext {
  readonly connection: RedisConnection;
  /** Name of the queue. */
  readonly queue: string;
  readonly buffer: Pick<MessageBuffer, 'has'>;
  readonly outbox: SettlementOutbox;
  readonly session: {
    /** Undefined while there is no registration. */
    readonly keys: ConsumerKeys | undefined;
    readonly settings: QueueSettings | undefined;
    /** Whether the lease cannot have expired. */
    readonly isLeaseCertain: boolean;
  };
}

/** One shard of a consumer's queue, as its messages see it. */
export class ShardOrigin implements MessageOrigin {
  readonly index: number;
  readonly outbox: SettlementOutbox;
  /** Whether the queue has no other shard. */
  readonly isOnly: boolean;
  readonly #context: ShardOriginContext;

  /** @param place the index of the shard, and the number of shards */
  constructor(place: { readonly index: number; readonly count: number }, context: ShardOriginContext) {
    this.index = place.index;
    this.isOnly = place.count === 1;
    this.outbox = context.outbox;
    this.#context = context;
  }

  get queue(): string {
    return this.#context.queue;
  }

  get keys(): ConsumerKeys | undefined {
    return this.#context.session.keys;
  }

  get deliveryLimit(): number {
    return this.#context.session.settings?.deliveryLimit ?? Number.POSITIVE_INFINITY;
  }

  keyOf(id: string): string {
    return this.isOnly ? id : `${this.index} ${id}`;
  }

  holds(id: string): boolean | Promise<boolean> {
    const { session, connection, buffer } = this.#context;
    if (session.keys === undefined || !buffer.has(this.keyOf(id))) return false;
    return session.isLeaseCertain || isHeld(connection.commands, session.keys, id);
  }

  async reportProgress(id: string, progress: unknown): Promise<boolean> {
    const { session, connection, buffer } = this.#context;
    if (session.keys === undefined || !buffer.has(this.keyOf(id))) return false;
    return writeProgress(connection.commands, session.keys, id, JSON.stringify(progress) ?? 'null');
  }
}
