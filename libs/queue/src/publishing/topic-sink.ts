import type { Headers } from '@millrace/core';
import type { TopicPosition } from '../model/receipt.js';

/** A message to be appended from an exchange to a partitioned log. */
export interface TopicMessage {
  /** Its id: the given one, or a new one. */
  readonly messageId: string;
  /** The exchange it was published to. */
  readonly exchange: string;
  /** The key it was published with. */
  readonly routingKey: string;
  /** The headers it was published with. */
  readonly headers: Headers;
  /** When it was published, in ms since 1970. */
  readonly timestamp: number;
  /** The body, not encoded yet. */
  readonly body: unknown;
}

/**
 * Takes the messages of bindings whose destination is a topic. This library does not know logs: @millrace/bridge connects the two,
 * and gives a Broker its sink.
 */
export interface TopicSink {
  /** Called before a binding to a topic is declared. @throws {TopicNotFoundError} */
  assertTopic(topic: string): Promise<void>;
  /** Writes the message as a record; resolves when that is confirmed. @throws what the log's producer throws */
  append(topic: string, message: TopicMessage): Promise<TopicPosition>;
}
