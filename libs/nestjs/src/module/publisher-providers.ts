import type { Provider } from '@nestjs/common';
import type { ExchangeMessages } from '../decorators/definitions.js';
import { type PayloadType } from '../decorators/payload-type.js';
import { getExchangeToken, getMillraceToken, getProducerToken, getQueueToken } from '../decorators/tokens.js';
import { payloadValidation, type ValidatePayload } from '../pipeline/payload-validation.js';
import type { Topology } from '../topology/topology.js';
import type { Millrace } from './millrace.js';
import { ExchangePublisher, QueueSender, TopicProducer } from './publishers.js';

/** One provider per topic, exchange and queue, for `@InjectProducer`, `@InjectExchange` and `@InjectQueue`. */
export function publisherProviders(
  connection: string,
  { topics = [], exchanges = [], queues = [] }: Partial<Topology>,
): Exclude<Provider, (...args: never[]) => unknown>[] {
  const inject = [getMillraceToken(connection)];
  return [
    ...topics.map((topic) => ({
      provide: getProducerToken(topic, connection),
      inject,
      useFactory: async (millrace: Millrace) =>
        new TopicProducer(
          millrace,
          topic.name,
          await validationFor(millrace, 'type' in topic ? topic.type : undefined),
        ),
    })),
    ...exchanges.map((exchange) => ({
      provide: getExchangeToken(exchange, connection),
      inject,
      useFactory: async (millrace: Millrace) =>
        new ExchangePublisher(
          millrace,
          exchange.name,
          await validationsFor(millrace, 'messages' in exchange ? exchange.messages : {}),
        ),
    })),
    ...queues.map((queue) => ({
      provide: getQueueToken(queue, connection),
      inject,
      useFactory: async (millrace: Millrace) =>
        typeof queue === 'string'
          ? new QueueSender(millrace, queue, undefined)
          : new QueueSender(
              millrace,
              queue.name,
              await validationFor(millrace, 'type' in queue ? queue.type : undefined),
            ),
    })),
  ];
}

async function validationFor(
  { options }: Millrace,
  type: PayloadType | undefined,
): Promise<ValidatePayload | undefined> {
  return type === undefined ? undefined : payloadValidation(type, options.validation);
}

async function validationsFor(millrace: Millrace, messages: ExchangeMessages): Promise<Map<string, ValidatePayload>> {
  const validations = new Map<string, ValidatePayload>();
  for (const [routingKey, type] of Object.entries(messages)) {
    validations.set(routingKey, await payloadValidation(type, millrace.options.validation));
  }
  return validations;
}
