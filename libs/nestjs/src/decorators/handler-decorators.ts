import 'reflect-metadata';
import type { BatchRecord } from '@millrace/log';
import type { BatchMessage } from '@millrace/queue';
import type { InjectionToken } from '@nestjs/common';
import type { Observable } from 'rxjs';
import type { QueueDeclaration, TopicDeclaration } from '../topology/topology.js';
import { deadLetterQueueOf, deadLetterTopicOf } from './dead-letter-place.js';
import type { QueueDefinition, TopicDefinition } from './definitions.js';
import { noteHandlerClass } from './handler-classes.js';
import type {
  AnyLogHandlerOptions,
  AnyQueueHandlerOptions,
  LogBatchHandlerOptions,
  LogHandlerOptions,
  QueueBatchHandlerOptions,
  QueueHandlerOptions,
} from './handler-options.js';

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

/** What a handler handles, and its options. A decorator's are not checked before the application starts. */
export type HandlerSource =
  | { readonly kind: 'log' | 'log-batch'; readonly options: AnyLogHandlerOptions }
  | { readonly kind: 'queue' | 'queue-batch'; readonly options: AnyQueueHandlerOptions };

export type HandlerKind = HandlerSource['kind'];

/** Whether it is a handler of a log; else it is one of a queue. */
export function isOfLog<S extends { readonly kind: HandlerKind }>(
  source: S,
): source is Extract<S, { readonly kind: 'log' | 'log-batch' }> {
  return source.kind === 'log' || source.kind === 'log-batch';
}

/** The metadata of a handler decorator. All options are checked together when the application starts. */
export type HandlerMetadata =
  | { readonly kind: 'log' | 'log-batch'; readonly options: Configured<AnyLogHandlerOptions> }
  | { readonly kind: 'queue' | 'queue-batch'; readonly options: Configured<AnyQueueHandlerOptions> };

const handlersKey = 'millrace:handlers';

/** Types the decorated method: its first parameter must accept `P`, the others depend on their decorators; it returns `R`. */
type HandlerDecorator<P, R = unknown> = <M extends (payload: P, ...others: never[]) => R>(
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void;

/** What a method must accept: `P`, made of the definition's type `T`. Where the definition has no type, every method fits. */
type Accepted<T, P = T> = unknown extends T ? never : P;

type OfTopic<O, T> = Omit<O, 'topic'> & { readonly topic: TopicDefinition<T> };
type OfQueue<O, T, R = unknown> = Omit<O, 'queue'> & { readonly queue: QueueDefinition<T, R> };

/** What a handler of requests may return: the reply, or a generator or observable of replies. */
type Replies<R> = unknown extends R
  ? unknown
  : R | Promise<R> | AsyncIterable<R> | Iterable<R> | Observable<R> | Promise<Observable<R>>;

/** The method handles records of a topic, for a consumer group: `(payload, context: RecordContext)`. */
export function LogHandler<T>(options: OfTopic<LogHandlerOptions, T>): HandlerDecorator<Accepted<T>>;
export function LogHandler(options: Configured<LogHandlerOptions>): HandlerDecorator<never>;
export function LogHandler(options: Configured<LogHandlerOptions>): HandlerDecorator<never> {
  return handlerDecorator({ kind: 'log', options });
}

/** The method handles several records of one partition at a time: `(batch: BatchRecord<Order>[], context)`. */
export function LogBatchHandler<T>(
  options: OfTopic<LogBatchHandlerOptions, T>,
): HandlerDecorator<Accepted<T, BatchRecord<T>[]>>;
export function LogBatchHandler(options: Configured<LogBatchHandlerOptions>): HandlerDecorator<never>;
export function LogBatchHandler(options: Configured<LogBatchHandlerOptions>): HandlerDecorator<never> {
  return handlerDecorator({ kind: 'log-batch', options });
}

/** The method handles messages of a queue: `(payload, context: MessageContext)`. */
export function QueueHandler<T, R>(
  options: OfQueue<QueueHandlerOptions, T, R>,
): HandlerDecorator<Accepted<T>, Replies<R>>;
export function QueueHandler(options: Configured<QueueHandlerOptions>): HandlerDecorator<never>;
export function QueueHandler(options: Configured<QueueHandlerOptions>): HandlerDecorator<never> {
  return handlerDecorator({ kind: 'queue', options });
}

/** The method handles several messages of a queue at a time: `(batch: BatchMessage<Email>[], context)`. */
export function QueueBatchHandler<T>(
  options: OfQueue<QueueBatchHandlerOptions, T>,
): HandlerDecorator<Accepted<T, BatchMessage<T>[]>>;
export function QueueBatchHandler(options: Configured<QueueBatchHandlerOptions>): HandlerDecorator<never>;
export function QueueBatchHandler(options: Configured<QueueBatchHandlerOptions>): HandlerDecorator<never> {
  return handlerDecorator({ kind: 'queue-batch', options });
}

/**
 * The method handles dead letters: messages that handlers of a topic (in any group) or of a queue gave up. Payloads are unchanged and not
 * validated; the context has the reasons: in the headers of a record, in `deaths` of a message.
 */
export function OnDeadLetter(options: QueueDeadLetters): HandlerDecorator<never>;
export function OnDeadLetter(options: TopicDeadLetters): HandlerDecorator<never>;
export function OnDeadLetter(options: DeadLetterSource): HandlerDecorator<never> {
  if (typeof options !== 'object' || options === null) return handlerDecorator({ kind: 'log', options });
  if ('queue' in options) {
    const { queue, ...rest } = options;
    return handlerDecorator({ kind: 'queue', options: { ...rest, queue: deadLetterQueueOf(queue), type: false } });
  }
  const { topic, ...rest } = options;
  return handlerDecorator({ kind: 'log', options: { ...rest, topic: deadLetterTopicOf(topic), type: false } });
}

/** The topic or queue whose dead letters are handled, and the options of the handler. */
export type DeadLetterSource = QueueDeadLetters | TopicDeadLetters;

/** The options of a handler of a queue's dead letters. */
export type QueueDeadLetters = Omit<QueueHandlerOptions, 'queue' | 'bind' | 'type'> & {
  /** The queue whose dead letters they are. */
  readonly queue: string | QueueDeclaration;
};

/** The options of a handler of a topic's dead letters. */
export type TopicDeadLetters = Omit<LogHandlerOptions, 'topic' | 'type'> & {
  /** The topic whose dead letters they are. */
  readonly topic: string | TopicDeclaration;
};

/** The metadata of a method's decorators, in the order of the source. */
export function handlersOf(method: object): readonly HandlerMetadata[] {
  return Reflect.getOwnMetadata(handlersKey, method) ?? [];
}

function handlerDecorator(metadata: HandlerMetadata): HandlerDecorator<never> {
  return (target, _method, descriptor) => {
    if (descriptor.value === undefined) return;
    noteHandlerClass(target);
    // Decorators are applied from the last to the first.
    Reflect.defineMetadata(handlersKey, [metadata, ...handlersOf(descriptor.value)], descriptor.value);
  };
}
