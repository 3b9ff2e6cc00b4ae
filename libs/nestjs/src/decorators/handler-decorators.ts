import 'reflect-metadata';
import { deadLettersOf } from '@millrace/core';
import type { InjectionToken } from '@nestjs/common';
import type { QueueDeclaration, TopicDeclaration } from '../topology/topology.js';
import type { QueueDefinition, TopicDefinition } from './definitions.js';
import type { LogHandlerOptions, QueueHandlerOptions } from './handler-options.js';

/**
 * Options that are known only when the application starts: from a provider's value (a token), or from a factory.
 * `@LogHandler({ inject: [ConfigService], useFactory: (config) => ({ topic: config.get('TOPIC'), group: 'mail' }) })`
 */
export type Configured<O> =
  | O
  | symbol
  | {
      readonly inject?: readonly InjectionToken[];
      readonly useFactory: (...dependencies: never[]) => O | Promise<O>;
    };

export type HandlerKind = 'log' | 'log-batch' | 'queue' | 'queue-batch';

/** The metadata of a handler decorator. All options are checked together when the application starts. */
export interface HandlerMetadata {
  readonly kind: HandlerKind;
  readonly options: unknown;
}

const handlersKey = 'millrace:handlers';

/** Types the decorated method: its first parameter must accept `Payload`, the others depend on their decorators. */
type HandlerDecorator<P> = <M extends (payload: P, ...others: never[]) => unknown>(
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void;

type TypedTopic<T> = Omit<LogHandlerOptions, 'topic'> & { readonly topic: TopicDefinition<T> };
type TypedQueue<T> = Omit<QueueHandlerOptions, 'queue'> & { readonly queue: QueueDefinition<T> };

/** The method handles records of a topic, for a consumer group: `(payload, context: RecordContext)`. */
export function LogHandler<T>(options: TypedTopic<T>): HandlerDecorator<T>;
export function LogHandler(options: Configured<LogHandlerOptions>): HandlerDecorator<never>;
export function LogHandler(options: unknown): HandlerDecorator<never> {
  return handlerDecorator('log', options);
}

/** The method handles several records of one partition at a time: `(batch, context)`. */
export function LogBatchHandler(options: Configured<Omit<LogHandlerOptions, 'when'>>): HandlerDecorator<never> {
  return handlerDecorator('log-batch', options);
}

/** The method handles messages of a queue: `(payload, context: MessageContext)`. */
export function QueueHandler<T>(options: TypedQueue<T>): HandlerDecorator<T>;
export function QueueHandler(options: Configured<QueueHandlerOptions>): HandlerDecorator<never>;
export function QueueHandler(options: unknown): HandlerDecorator<never> {
  return handlerDecorator('queue', options);
}

/** The method handles several messages of a queue at a time: `(batch, context)`. */
export function QueueBatchHandler(options: Configured<QueueHandlerOptions>): HandlerDecorator<never> {
  return handlerDecorator('queue-batch', options);
}

/**
 * The method handles dead letters: messages that handlers of a topic (in any group) or of a queue gave up. Payloads are unchanged and not
 * validated; the context has the reasons: in the headers of a record, in `deaths` of a message.
 */
export function OnDeadLetter(options: DeadLetterSource): HandlerDecorator<never> {
  if (!isObject(options)) return handlerDecorator('log', options);
  if ('queue' in options) {
    const { queue, ...rest } = options;
    return handlerDecorator('queue', { ...rest, queue: deadLetterQueueOf(queue), type: false });
  }
  const { topic, ...rest } = options;
  return handlerDecorator('log', { ...rest, topic: deadLetterTopicOf(topic), type: false });
}

/** The topic or queue whose dead letters are handled, and the options of the handler. */
export type DeadLetterSource =
  | (Omit<QueueHandlerOptions, 'queue' | 'bind' | 'type'> & { readonly queue: string | QueueDeclaration })
  | (Omit<LogHandlerOptions, 'topic' | 'type'> & { readonly topic: string | TopicDeclaration });

/** An invalid queue is returned unchanged: the start refuses it, with every other problem. */
function deadLetterQueueOf(queue: string | QueueDeclaration): unknown {
  if (typeof queue === 'string') return deadLettersOf(queue);
  if (!isObject(queue) || typeof queue.name !== 'string') return queue;
  const { name, deadLetter } = queue;
  return isObject(deadLetter) && 'queue' in deadLetter ? deadLetter.queue : deadLettersOf(name);
}

/** As `deadLetterQueueOf`, for a topic. */
function deadLetterTopicOf(topic: string | TopicDeclaration): unknown {
  if (typeof topic === 'string') return deadLettersOf(topic);
  if (!isObject(topic) || typeof topic.name !== 'string') return topic;
  return topic.deadLetter ? topic.deadLetter.topic : deadLettersOf(topic.name);
}

function isObject<T>(value: T): value is T & object {
  return typeof value === 'object' && value !== null;
}

/** The metadata of a method's decorators, in the order of the source. */
export function handlersOf(method: object): readonly HandlerMetadata[] {
  return Reflect.getOwnMetadata(handlersKey, method) ?? [];
}

function handlerDecorator(kind: HandlerKind, options: unknown): HandlerDecorator<never> {
  return (_target, _method, descriptor) => {
    if (descriptor.value === undefined) return;
    // Decorators are applied from the last to the first.
    Reflect.defineMetadata(handlersKey, [{ kind, options }, ...handlersOf(descriptor.value)], descriptor.value);
  };
}
