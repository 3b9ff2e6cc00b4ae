import { keepsDeadLetters } from '@millrace/core';
import type { InjectionToken, Provider } from '@nestjs/common';
import { deadLetterQueueOf } from '../decorators/dead-letter-place.js';
import { type ExchangeMessages, nameOf, type QueueDefinition } from '../decorators/definitions.js';
import { type PayloadType } from '../decorators/payload-type.js';
import { getExchangeToken, getMillraceToken, getProducerToken, getQueueToken } from '../decorators/tokens.js';
import { payloadValidation, type ValidatePayload } from '../pipeline/payload-validation.js';
import type { Topology } from '../topology/topology.js';
import { ExchangePublisher } from './exchange-publisher.js';
import type { Millrace } from './millrace.js';

/** One provider per topic, exchange and queue, for `@InjectProducer`, `@InjectExchange` and `@InjectQueue`. */
export function publisherProviders(
  connection: string,
  { topics = [], exchanges = [], queues = [] }: Partial<Topology>,
  millraceToken: InjectionToken = getMillraceToken(connection),
): Exclude<Provider, (...args: never[]) => unknown>[] {
  const inject = [millraceToken];
  return [
    ...topics.map((topic) => ({
      provide: getProducerToken(topic, connection),
      inject,
      useFactory: async (millrace: Millrace) =>
        millrace.log.topic(topic.name, {
          producer: millrace.producer,
          validate: await validationFor(millrace, 'type' in topic ? topic.type : undefined),
        }),
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
      useFactory: async (millrace: Millrace) => {
        const { type, reply }: Partial<QueueDefinition> = typeof queue === 'string' ? {} : queue;
        return millrace.broker.queue(nameOf(queue), {
          validate: await validationFor(millrace, type),
          validateReply: await validationFor(millrace, reply),
          deadLetterQueue: keepsDeadLetters(nameOf(queue)) ? undefined : nameOf(deadLetterQueueOf(queue)),
        });
      },
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
