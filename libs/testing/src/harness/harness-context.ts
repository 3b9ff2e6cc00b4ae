import { type Headers, noHeaders } from '@millrace/core';
import { DeliveryContext } from '@millrace/delivery';

/** What a test says of the message that it has handled. */
export interface MessageFacts {
  readonly headers?: Headers;
  /** Which attempt this is, from 1. Default 1. */
  readonly attempt?: number;
  /** Of a record. */
  readonly key?: string;
  readonly partition?: number;
  readonly offset?: number;
  readonly topic?: string;
  /** Of a queue's message. */
  readonly messageId?: string;
  readonly exchange?: string;
  readonly routingKey?: string;
  readonly timestamp?: number;
}

/** A context with everything that a `RecordContext` and a `MessageContext` have. */
export class HarnessContext extends DeliveryContext {
  readonly attempt: number;
  readonly topic: string;
  readonly queue: string;
  readonly group: string;
  readonly key: string | undefined;
  readonly partition: number;
  readonly offset: number;
  readonly epoch = 1;
  readonly headers: Headers;
  readonly timestamp: number;
  readonly messageId: string;
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties = {};
  readonly deaths: readonly never[] = [];
  /** What the handler told with `progress()`, in its order. */
  readonly progressTold: unknown[] = [];

  constructor(source: { readonly topic: string; readonly queue: string; readonly group: string }, facts: MessageFacts) {
    super();
    this.attempt = facts.attempt ?? 1;
    this.topic = facts.topic ?? source.topic;
    this.queue = source.queue;
    this.group = source.group;
    this.key = facts.key;
    this.partition = facts.partition ?? 0;
    this.offset = facts.offset ?? 0;
    this.headers = facts.headers ?? noHeaders;
    this.timestamp = facts.timestamp ?? Date.now();
    this.messageId = facts.messageId ?? 'test-message';
    this.exchange = facts.exchange ?? '';
    this.routingKey = facts.routingKey ?? source.queue;
  }

  get deliveryCount(): number {
    return this.attempt - 1;
  }

  get redelivered(): boolean {
    return this.attempt > 1;
  }

  describe(): string {
    return this.queue === '' ? `record ${this.offset} of topic "${this.topic}"` : `message of queue "${this.queue}"`;
  }

  async commit(): Promise<void> {}

  async progress(value: unknown): Promise<boolean> {
    this.progressTold.push(value);
    return true;
  }
}
