import type { ExchangeDeclaration, QueueDeclaration, TopicDeclaration } from '../topology/topology.js';
import type { PayloadClass, PayloadType, StandardSchema } from './payload-type.js';

// A definition ties a name to the type of its payloads, once: publishers, handlers and the declaration all take it
// from there, so that a publish or a handler of another type does not compile.

/** A topic and what its records hold. */
export type TopicDefinition<T = unknown> = TopicDeclaration & { readonly type: PayloadType<T> };

/** A queue and what its messages hold. */
export type QueueDefinition<T = unknown> = QueueDeclaration & { readonly type: PayloadType<T> };

/** Payload types by routing key. */
export type ExchangeMessages = Readonly<Record<string, PayloadType>>;

/** An exchange and what is published to it, by routing key. */
export type ExchangeDefinition<M extends ExchangeMessages = ExchangeMessages> = ExchangeDeclaration & {
  readonly messages: M;
};

/** `defineTopic({ name: 'orders', partitions: 8, type: OrderPlaced })` */
export function defineTopic<T>(
  topic: TopicDeclaration & { readonly type: PayloadClass<T> | StandardSchema<T> },
): TopicDefinition<T> {
  return Object.freeze(topic);
}

/** `defineQueue({ name: 'emails', type: Email })` */
export function defineQueue<T>(
  queue: QueueDeclaration & { readonly type: PayloadClass<T> | StandardSchema<T> },
): QueueDefinition<T> {
  return Object.freeze(queue);
}

/** `defineExchange({ name: 'events', type: 'topic', messages: { 'order.created': OrderCreated } })` */
export function defineExchange<const M extends ExchangeMessages>(
  exchange: ExchangeDeclaration & { readonly messages: M },
): ExchangeDefinition<M> {
  return Object.freeze(exchange);
}

/** The name of what is given by name or by definition. */
export function nameOf(object: string | { readonly name: string }): string {
  return typeof object === 'string' ? object : object.name;
}

/** What is declared in Redis of a topic or queue: all but the type of its payloads. */
export function withoutType<D extends { readonly name: string }>(definition: D): D {
  const { type: _type, ...declaration }: D & { readonly type?: unknown } = { ...definition };
  return declaration as D & object;
}

/** What is declared in Redis of an exchange: all but the types of its messages. */
export function withoutMessages(definition: ExchangeDeclaration | ExchangeDefinition): ExchangeDeclaration {
  const { messages: _messages, ...declaration } = { messages: undefined, ...definition };
  return declaration;
}
