import { accepted, type Headers } from '@millrace/core';
import type { Log, Producer } from '@millrace/log';
import type { Broker, TopicMessage, TopicSink } from '@millrace/queue';

/** How messages of an exchange become records of a log. */
export interface BridgeOptions {
  /**
   * The record's key, which decides its partition and what it keeps its order with; undefined: none. It returns now. What it
   * throws, or another answer, is why the topic did not take the message: publishing fails. Default: the routing key.
   */
  readonly key?: ((message: TopicMessage) => string | undefined) | undefined;
  /** Writes the records. Default: one with the log's defaults. */
  readonly producer?: Producer | undefined;
}

/**
 * Joins a Broker with a Log: from now on this Broker's exchanges can feed topics,
 * `broker.bind({ exchange: 'orders', topic: 'order-events', routingKey: 'order.#' })`. The binding is for all processes, so
 * every process that publishes to such an exchange joins the two.
 *
 * A record's value is the message's body; its headers are the message's, and `x-exchange`, `x-routing-key`, `x-message-id`.
 * A publish is confirmed when its queues and its topics have it. The log's producer never writes a record twice, but a log does
 * not know message ids: a message that is published again on purpose is a second record.
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
