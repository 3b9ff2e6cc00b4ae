import type { Headers } from '@millrace/core';
import type { Routable } from '../model/exchange-matcher.js';
import { type CheckedProperties, delayOf, headersOf } from '../model/publish-properties.js';

/** The parts of a message outside its properties. */
interface Addressed {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: unknown;
}

/**
 * Where a message was published to, and what routing needs to know of it. A class because there are many: after one large burst V8
 * permanently allocates object literals of such a call site in the old space, where all that they reference waits for a full collection.
 */
export class PublicationTarget implements Routable {
  readonly exchange: string;
  readonly routingKey: string;
  readonly headers: Headers;
  readonly messageId: string | undefined;
  readonly correlationId: string | undefined;
  readonly mandatory: boolean;
  /** Sent to a queue by name, which must exist. */
  readonly isSentToQueue: boolean;
  readonly isDelayed: boolean;
  /** Determines its shard in a sharded queue. */
  readonly shardKey: string | undefined;
  readonly timestamp: number;
  readonly body: unknown;

  constructor(message: Addressed, properties: CheckedProperties, timestamp: number, isSentToQueue: boolean) {
    this.exchange = message.exchange;
    this.routingKey = message.routingKey;
    this.headers = headersOf(properties);
    this.messageId = properties.messageId;
    this.correlationId = properties.correlationId;
    this.mandatory = properties.mandatory ?? false;
    this.isSentToQueue = isSentToQueue;
    this.isDelayed = delayOf(properties) !== undefined;
    this.shardKey = properties.shardKey ?? properties.messageId;
    this.timestamp = timestamp;
    this.body = message.body;
  }
}
