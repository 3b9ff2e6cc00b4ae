import type { ConsumerInput as GroupConsumerInput, RecordContext } from '@millrace/log';
import type { BindingDeclaration, ConsumerInput as QueueConsumerInput } from '@millrace/queue';
import type { QueueDeclaration, TopicDeclaration } from '../topology/topology.js';
import type { ExchangeDefinition, QueueDefinition, TopicDefinition } from './definitions.js';
import type { PayloadType } from './payload-type.js';
import type { DeadLetterTarget } from './policy-decorators.js';

// Every option of a consumer is an option of its handlers: it is declared and checked by libs/log or libs/queue, and passes through here.
// Only what a handler has besides is declared here; `plans/` takes it out again.

/** The options of all kinds of handlers. */
export interface SharedHandlerOptions {
  /** The connection's name. Default: the one without a name. */
  readonly connection?: string | undefined;
  /**
   * The class or schema that payloads must satisfy. Default: the definition's type, else the class of the payload's parameter if
   * class-validator has rules for it. `false`: payloads are not validated.
   */
  readonly type?: PayloadType | false | undefined;
  /** The handler's name in logs and metrics. Default `Class.method`. */
  readonly name?: string | undefined;
  /** Whether global guards, pipes, interceptors and filters run. Default: the module's. */
  readonly globalEnhancers?: boolean | undefined;
}

type TopicSource = TopicDeclaration | TopicDefinition;

/** What the plan of a consumer sets itself. */
type SetByPlan = 'handler' | 'batchHandler' | 'validate' | 'name';

/** The options of a log's handlers, of single records and of batches. */
export interface AnyLogHandlerOptions
  extends SharedHandlerOptions,
    Omit<GroupConsumerInput, SetByPlan | 'topics' | 'deadLetter'> {
  /**
   * A topic, several topics, or a pattern, which also matches topics that are declared later. A topic given as a declaration is declared
   * at start.
   */
  readonly topic: string | RegExp | TopicSource | readonly (string | TopicSource)[];
  /**
   * Selects records by what is known without their payload (headers, key, partition, offset, timestamp, attempt):
   * `({ headers }) => headers.type === 'order-placed'`. Records that no handler of the group selects count as handled. Not for batch
   * handlers. It is synchronous: an error or a promise is a failed attempt.
   */
  readonly when?: ((context: RecordContext) => boolean) | undefined;
  /** Topic for records that are given up; false: they are only reported. Default: the one that the topic declares. */
  readonly deadLetter?: string | DeadLetterTarget | undefined;
}

/** `@LogHandler`: a topic (or several), a group, and every option of a group consumer. */
export type LogHandlerOptions = Omit<AnyLogHandlerOptions, 'batch'>;

/** `@LogBatchHandler`: as `LogHandlerOptions`, with `batch`, without what is for single records. */
export type LogBatchHandlerOptions = Omit<AnyLogHandlerOptions, 'when' | 'middleware'>;

/** A binding of the handler's queue. Given a definition, the exchange is declared too. */
export type HandlerBinding = Omit<BindingDeclaration, 'exchange' | 'queue' | 'toExchange' | 'topic'> & {
  readonly exchange: string | ExchangeDefinition;
};

/** The options of a queue's handlers, of single messages and of batches. */
export interface AnyQueueHandlerOptions
  extends SharedHandlerOptions,
    Omit<QueueConsumerInput, SetByPlan | 'queue' | 'handlers'> {
  /** Its declaration, or its name: then it is declared with default settings, unless a module declares it. */
  readonly queue: string | QueueDeclaration | QueueDefinition;
  /** Bindings that are declared at start, in addition to those that the queue has. */
  readonly bind?: readonly HandlerBinding[] | undefined;
  /**
   * Selects messages of the queue by routing key (`*` one word, `#` any number of words). Default: where several handlers share a queue,
   * the routing keys of the handler's bindings; else all messages. Not for batch handlers.
   */
  readonly pattern?: string | undefined;
}

/** `@QueueHandler`: a queue, its bindings, and every option of a queue consumer. */
export type QueueHandlerOptions = Omit<AnyQueueHandlerOptions, 'batch'>;

/** `@QueueBatchHandler`: as `QueueHandlerOptions`, with `batch`, without what is for single messages. */
export type QueueBatchHandlerOptions = Omit<AnyQueueHandlerOptions, 'pattern' | 'middleware'>;
