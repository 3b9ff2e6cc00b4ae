import type { Headers } from '@millrace/core';
import type { Routable } from '../model/exchange-matcher.js';
import { type CheckedProperties, delayOf, headersOf } from '../model/publish-properties.js';

/** The parts of a message outside its properties. */
interface Addressed {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: unknown;
}

/** Where a message was published to, and what routing needs to know of it. A class: see docs/decisions/0008. */
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
  /** The slot whose line it is; undefined: it is none. */
  readonly source: string | undefined;

  constructor(
    message: Addressed,
    properties: CheckedProperties,
    timestamp: number,
    isSentToQueue: boolean,
    source?: string,
  ) {
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
    this.source = source;
  }
}
