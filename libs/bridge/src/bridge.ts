import { accepted, type Headers } from '@millrace/core';
import type { Log, Producer } from '@millrace/log';
import type { Broker, TopicMessage, TopicSink } from '@millrace/queue';

/** How messages of an exchange become records of a log. */
export interface BridgeOptions {
  /**
   * Returns the record's key, which decides its partition and the records with which it keeps its order; undefined: no key. It is
   * synchronous. If it throws or returns anything else, the topic does not take the message and publishing fails. Default: the routing
   * key.
   */
  readonly key?: ((message: TopicMessage) => string | undefined) | undefined;
  /** The producer that writes the records. Default: a new one with the log's defaults. */
  readonly producer?: Producer | undefined;
}

/**
 * Connects a Broker with a Log: from now on this Broker's exchanges can feed topics,
 * `broker.bind({ exchange: 'orders', topic: 'order-events', routingKey: 'order.#' })`. The binding applies to all processes, so every
 * process that publishes to such an exchange must connect the two.
 *
 * A record's value is the message's body; its headers are the message's, and `x-exchange`, `x-routing-key`, `x-message-id`. A publish is
 * confirmed when its queues and its topics have it. The log's producer never writes a record twice, but a log has no message ids: a
 * message that the caller publishes again becomes a second record.
 */
export function bridge(broker: Broker, log: Log, options: BridgeOptions = {}): void {
  const producer = options.producer ?? log.producer();
  const keyOf = options.key ?? (({ routingKey }) => routingKey);
  const sink: TopicSink = {
    assertTopic: async (topic) => {
      await log.describeTopic(topic);
    },
    append: async (topic, message) => {
      const { body: value, timestamp } = message;
      const record = { topic, value, timestamp, key: accepted(recordKey, keyOf(message)), headers: headersOf(message) };
      const { partition, offset } = await producer.send(record);
      return { topic, partition, offset };
    },
  };
  broker.feedTopics(sink);
}

const recordKey = {
  name: 'the key function of a bridge',
  expects: 'a string or undefined',
  accepts: (answer: unknown): answer is string | undefined => answer === undefined || typeof answer === 'string',
};

function headersOf({ headers, exchange, routingKey, messageId }: TopicMessage): Headers {
  return { ...headers, 'x-exchange': exchange, 'x-routing-key': routingKey, 'x-message-id': messageId };
}
