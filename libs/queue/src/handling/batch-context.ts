import { DeliveryContext } from '@millrace/delivery';
import type { MessageContext } from './message-context.js';

/** One message of a batch: its payload, decoded and validated, and its context. */
export interface BatchMessage<T = unknown> {
  /** Decoded and, where there is a schema, validated. */
  readonly payload: T;
  /** The context of this message: id, headers, attempt. */
  readonly context: MessageContext;
}

/** One attempt to handle one batch. Each message has its own context too, with its own attempt. */
export class BatchContext extends DeliveryContext {
  /** The queue it was taken from. */
  readonly queue: string;
  /** In the order they were reserved. */
  readonly messages: readonly BatchMessage[];

  constructor(queue: string, messages: readonly BatchMessage[]) {
    super();
    this.queue = queue;
    this.messages = messages;
  }

  /** The highest attempt of its messages. */
  override get attempt(): number {
    return this.messages.reduce((highest, { context }) => Math.max(highest, context.attempt), 1);
  }

  override describe(): string {
    return `a batch of ${this.messages.length} messages of queue "${this.queue}"`;
  }
}
