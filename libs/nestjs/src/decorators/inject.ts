import { Inject } from '@nestjs/common';
import { getExchangeToken, getMillraceToken, getProducerToken, getQueueToken } from './tokens.js';

type InjectDecorator = PropertyDecorator & ParameterDecorator;
type Named = string | { readonly name: string };

/** A connection's {@link Millrace}. For the default connection, the class as a type is enough. */
export function InjectMillrace(connection?: string): InjectDecorator {
  return Inject(getMillraceToken(connection));
}

/**
 * Without a topic: the connection's `Producer`, for any topic. With a topic that `forFeature` (or `forRoot`) declares:
 * its `TopicHandle`, which sends, reads and redrives, and checks payloads against the topic's type.
 */
export function InjectProducer(topic?: Named, connection?: string): InjectDecorator {
  return Inject(getProducerToken(topic, connection));
}

/** The `ExchangePublisher` of an exchange that `forFeature` (or `forRoot`) declares. */
export function InjectExchange(exchange: Named, connection?: string): InjectDecorator {
  return Inject(getExchangeToken(exchange, connection));
}

/** The `QueueHandle` of a queue that `forFeature` (or `forRoot`) declares. It checks payloads against the queue's type. */
export function InjectQueue(queue: Named, connection?: string): InjectDecorator {
  return Inject(getQueueToken(queue, connection));
}
