import type { Linked } from '@millrace/core';
import type { DeliveryContext } from '@millrace/delivery';
import type { Completion } from '../model/completion.js';
import { type Deliveries, readDeliveries } from '../model/deliveries.js';
import type { StoredMessage } from '../model/message-frame.js';
import type { ConsumerKeys } from '../store/consumer-keys.js';
import type { SettleCommand } from '../store/settle.js';
import type { Taken } from '../store/taken.js';
import type { MessageSource } from './message-context.js';

/** Collects the settlements of messages for Redis. */
export interface SettlementOutbox {
  /** Whether the queue keeps completed messages: then an acknowledgement includes the result. */
  readonly keepsCompleted: boolean;
  acknowledge(id: string, completion?: Completion): void;
  /** Any settle command other than an acknowledgement. */
  settle(command: SettleCommand): void;
}

/** The shard of its queue that a message came from. */
export interface MessageOrigin extends MessageSource {
  /** Its index among the shards of the consumer. */
  readonly index: number;
  /** Takes the settle commands on its messages. */
  readonly outbox: SettlementOutbox;
  /** Keys of the consumer's registration there; undefined while it has none. */
  readonly keys: ConsumerKeys | undefined;
  /** The queue's limit of returns: how many times a message may come back without an outcome. */
  readonly deliveryLimit: number;
  /** A key that is unique among the consumer's messages: two shards may hold the same id. */
  keyOf(id: string): string;
}

/** A message that a consumer holds, from the turn that took it until its settlement. */
export class HeldMessage implements Linked<HeldMessage> {
  readonly origin: MessageOrigin;
  /** Its entry. */
  readonly id: string;
  readonly frame: Buffer;
  readonly deliveries: Deliveries;
  /** JSON with the handlers that are done with it, where there are several. */
  readonly handled: string | undefined;
  /** When it was taken, by the monotonic clock. */
  readonly takenAt: number;
  /** When its handler began, by the monotonic clock; undefined before. */
  startedAt: number | undefined;
  /** Its frame, once it was read. */
  message: StoredMessage | undefined;
  /** The contexts of its running handlers. */
  context: DeliveryContext | readonly DeliveryContext[] | undefined;
  /** Its neighbours among all that its consumer holds. */
  before: HeldMessage | undefined;
  after: HeldMessage | undefined;
  /** It was cancelled: it is removed, whatever its handler does. */
  isCancelled = false;

  constructor(origin: MessageOrigin, taken: Taken, takenAt: number) {
    this.origin = origin;
    this.id = taken.id;
    this.frame = taken.frame;
    this.deliveries = readDeliveries(taken.deliveries);
    this.handled = taken.handled;
    this.takenAt = takenAt;
  }

  /** The id it was published with; its entry, when it has none or its frame could not be read. */
  get messageId(): string {
    return this.message?.id ?? this.id;
  }

  get key(): string {
    return this.origin.keyOf(this.id);
  }

  /** The priority is the frame's second byte. */
  get priority(): number {
    return this.frame[1] ?? 0;
  }

  /** Takes it back from its handlers. */
  abandon(reason: Error): void {
    if (this.context === undefined) return;
    const contexts = 'abandon' in this.context ? [this.context] : this.context;
    for (const context of contexts) context.abandon(reason);
  }
}
