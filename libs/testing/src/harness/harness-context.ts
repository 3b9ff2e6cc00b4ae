import { type Headers, noHeaders } from '@millrace/core';
import { DeliveryContext } from '@millrace/delivery';

/** Properties of the message that a test passes to a handler. */
export interface MessageFacts {
  /** The message's headers. Default: none. */
  readonly headers?: Headers;
  /** Which attempt this is, from 1. Default 1. */
  readonly attempt?: number;
  /** The key of a record. Default: none. */
  readonly key?: string;
  /** The partition of a record. Default 0. */
  readonly partition?: number;
  /** The offset of a record. Default 0. */
  readonly offset?: number;
  /** The topic of a record. Default: the handler's. */
  readonly topic?: string;
  /** The id of a queue's message. */
  readonly messageId?: string;
  /** The exchange of a queue's message. Default `''`, the default exchange. */
  readonly exchange?: string;
  /** The routing key of a queue's message. Default: the queue's name. */
  readonly routingKey?: string;
  /** The message's timestamp, in ms since 1970. Default: now. */
  readonly timestamp?: number;
}

/** A context with all properties of a `RecordContext` and a `MessageContext`. */
export class HarnessContext extends DeliveryContext {
  readonly attempt: number;
  /** The record's topic; `''` for a queue's message. */
  readonly topic: string;
  /** The handler's queue; `''` for a log handler. */
  readonly queue: string;
  /** The handler's group; `''` for a queue handler. */
  readonly group: string;
  /** The record's key. Default: none. */
  readonly key: string | undefined;
  /** The record's partition. Default 0. */
  readonly partition: number;
  /** The record's offset. Default 0. */
  readonly offset: number;
  /** The epoch of the lease. Always 1. */
  readonly epoch = 1;
  /** The message's headers. Default: none. */
  readonly headers: Headers;
  /** The message's timestamp, in ms since 1970. Default: now. */
  readonly timestamp: number;
  /** The message's id. Default `test-message`. */
  readonly messageId: string;
  /** The message's exchange. Default `''`, the default exchange. */
  readonly exchange: string;
  /** The message's routing key. Default: the queue's name. */
  readonly routingKey: string;
  /** Always empty. */
  readonly properties = {};
  /** Always empty. */
  readonly deaths: readonly never[] = [];
  /** The values that the handler passed to `progress()`, in order. */
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

  /** The number of attempts before this one. */
  get deliveryCount(): number {
    return this.attempt - 1;
  }

  /** Whether this is not the first attempt. */
  get redelivered(): boolean {
    return this.attempt > 1;
  }

  describe(): string {
    return this.queue === '' ? `record ${this.offset} of topic "${this.topic}"` : `message of queue "${this.queue}"`;
  }

  /** Does nothing: there is no group with an offset. */
  async commit(): Promise<void> {}

  /** Keeps the value in `progressTold`. */
  async progress(value: unknown): Promise<boolean> {
    this.progressTold.push(value);
    return true;
  }
}
