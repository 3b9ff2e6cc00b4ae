import type { ExchangeDeclaration, QueueDeclaration, TopicDeclaration } from '../topology/topology.js';
import type { PayloadClass, PayloadType, StandardSchema } from './payload-type.js';

// A definition binds a name to the type of its payloads in one place: publishers, handlers and the declaration use it, so that a publish
// or a handler with another type does not compile.

/** A topic and the type of its records. Without `type` they are typed, and not validated. */
export type TopicDefinition<T = unknown> = TopicDeclaration & { readonly type?: PayloadType<T> | undefined };

/** A queue, the type of its messages, and that of the replies to its requests. What has no `type` is typed, and not validated. */
export type QueueDefinition<T = unknown, R = unknown> = QueueDeclaration & {
  readonly type?: PayloadType<T> | undefined;
  readonly reply?: PayloadType<R> | undefined;
};

/** Payload types by routing key. */
export type ExchangeMessages = Readonly<Record<string, PayloadType>>;

/** An exchange and the types of its messages, by routing key. */
export type ExchangeDefinition<M extends ExchangeMessages = ExchangeMessages> = ExchangeDeclaration & {
  readonly messages: M;
};

/** `defineTopic({ name: 'orders', partitions: 8, type: OrderPlaced })`, or `defineTopic<OrderPlaced>({ name: 'orders' })` without a check */
export function defineTopic<T = unknown>(
  topic: TopicDeclaration & { readonly type?: PayloadClass<T> | StandardSchema<T> | undefined },
): TopicDefinition<T> {
  return Object.freeze(topic);
}

/**
 * `defineQueue({ name: 'emails', type: Email })`, or `defineQueue<Email>({ name: 'emails' })` without a check. `reply`: the class or
 * schema that replies to requests must satisfy.
 */
export function defineQueue<T = unknown, R = unknown>(
  queue: QueueDeclaration & {
    readonly type?: PayloadClass<T> | StandardSchema<T> | undefined;
    readonly reply?: PayloadClass<R> | StandardSchema<R> | undefined;
  },
): QueueDefinition<T, R> {
  return Object.freeze(queue);
}

/** `defineExchange({ name: 'events', type: 'topic', messages: { 'order.created': OrderCreated } })` */
export function defineExchange<const M extends ExchangeMessages>(
  exchange: ExchangeDeclaration & { readonly messages: M },
): ExchangeDefinition<M> {
  return Object.freeze(exchange);
}

/** The name of an object that is given by name or by definition. */
export function nameOf(object: string | { readonly name: string }): string {
  return typeof object === 'string' ? object : object.name;
}

/** The declaration of a topic or queue: everything but the types of its payloads and replies. */
export function withoutType<D extends { readonly name: string }>(definition: D): D {
  const { type: _type, reply: _reply, ...declaration }: D & Partial<QueueDefinition> = { ...definition };
  return declaration as D & object;
}

/** The declaration of an exchange: everything but the types of its messages. */
export function withoutMessages(definition: ExchangeDeclaration | ExchangeDefinition): ExchangeDeclaration {
  const { messages: _messages, ...declaration } = { messages: undefined, ...definition };
  return declaration;
}
