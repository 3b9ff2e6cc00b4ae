import type { Headers } from '@millrace/core';
import type { TopicPosition } from '../model/receipt.js';

/** A message on its way from an exchange into a partitioned log. */
export interface TopicMessage {
  /** Its id: the given one, or a new one. */
  readonly messageId: string;
  /** The exchange it was published to. */
  readonly exchange: string;
  /** The key it was published with. */
  readonly routingKey: string;
  /** What was published with it. */
  readonly headers: Headers;
  /** When it was published, in ms since 1970. */
  readonly timestamp: number;
  /** What was published, not encoded yet. */
  readonly body: unknown;
}

/**
 * What takes the messages of bindings whose destination is a topic. Queues know no logs: @millrace/bridge joins the two,
 * and gives a Broker its sink.
 */
export interface TopicSink {
  /** Asked before something is bound to a topic. @throws {TopicNotFoundError} */
  assertTopic(topic: string): Promise<void>;
  /** Writes the message as a record; resolves when that is confirmed. @throws what the log's producer throws */
  append(topic: string, message: TopicMessage): Promise<TopicPosition>;
}
