import type { Headers } from '@millrace/core';
import type { TopicPosition } from '../model/receipt.js';

/** A message on its way from an exchange into a partitioned log. */
export interface TopicMessage {
  readonly messageId: string;
  readonly exchange: string;
  readonly routingKey: string;
  readonly headers: Headers;
  readonly timestamp: number;
  readonly body: unknown;
}

/**
 * What takes the messages of bindings whose destination is a topic. Queues know no logs: @millrace/bridge joins the two,
 * and gives a Broker its sink.
 */
export interface TopicSink {
  /** Asked before something is bound to a topic. @throws {TopicNotFoundError} */
  assertTopic(topic: string): Promise<void>;
  /** @throws what the log's producer throws */
  append(topic: string, message: TopicMessage): Promise<TopicPosition>;
}
