import type { RedisConnection } from '@millrace/redis';
import type { QueueSettings } from '../model/queue-settings.js';
import type { ConsumerKeys } from '../store/consumer-keys.js';
import { isHeld, writeProgress } from '../store/progress.js';
import type { MessageOrigin } from './held-message.js';
import type { MessageBuffer } from './message-buffer.js';

/** What a slot needs of its consumer. */
export interface OriginContext {
  readonly connection: RedisConnection;
  /** Name of the queue. */
  readonly queue: string;
  readonly hold: Pick<MessageBuffer, 'has'>;
  readonly session: {
    /** Undefined while there is no registration. */
    readonly keys: ConsumerKeys | undefined;
    readonly settings: QueueSettings | undefined;
    /** Whether the lease cannot have run out. */
    readonly isLeaseCertain: boolean;
  };
}

/** One slot of a consumer's queue, for the messages that come from there. */
export class ShardOrigin implements MessageOrigin {
  readonly index: number;
  /** Whether the queue has no other slot. */
  readonly isOnly: boolean;
  readonly #context: OriginContext;

  /** @param place which of how many slots */
  constructor(place: { readonly index: number; readonly count: number }, context: OriginContext) {
    this.index = place.index;
    this.isOnly = place.count === 1;
    this.#context = context;
  }

  get queue(): string {
    return this.#context.queue;
  }

  get deliveryLimit(): number {
    return this.#context.session.settings?.deliveryLimit ?? Number.POSITIVE_INFINITY;
  }

  keyOf(id: string): string {
    return this.isOnly ? id : `${this.index} ${id}`;
  }

  holds(id: string): boolean | Promise<boolean> {
    const { session, connection } = this.#context;
    if (session.keys === undefined || !this.#context.hold.has(this.keyOf(id))) return false;
    return session.isLeaseCertain || isHeld(connection.commands, session.keys, id);
  }

  async reportProgress(id: string, progress: unknown): Promise<boolean> {
    const { session, connection } = this.#context;
    if (session.keys === undefined || !this.#context.hold.has(this.keyOf(id))) return false;
    return writeProgress(connection.commands, session.keys, id, JSON.stringify(progress) ?? 'null');
  }
}
