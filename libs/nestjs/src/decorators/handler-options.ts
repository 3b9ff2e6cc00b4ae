import type { RecordContext } from '@millrace/log';
import type { BindingDeclaration, ConsumerInput } from '@millrace/queue';
import type { GroupConsumerInput } from '../plans/log-consumer-plans.js';
import type { QueueDeclaration, TopicDeclaration } from '../topology/topology.js';
import type { ExchangeDefinition, QueueDefinition, TopicDefinition } from './definitions.js';
import type { PayloadType } from './payload-type.js';
import type { DeadLetterTarget } from './policy-decorators.js';

/** What all kinds of handlers have. */
interface SharedHandlerOptions {
  /** Which connection. Default: the one without a name. */
  readonly connection?: string | undefined;
  /**
   * What payloads must look like. Default: the definition's type, else the class of the payload's parameter where
   * class-validator knows rules for it. `false`: payloads are not checked.
   */
  readonly type?: PayloadType | false | undefined;
  /** How the handler is called in logs and metrics. Default `Class.method`. */
  readonly name?: string | undefined;
  /** Whether global guards, pipes, interceptors and filters run. Default: the module's. */
  readonly globalEnhancers?: boolean | undefined;
}

type TopicSource = TopicDeclaration | TopicDefinition;

/** `@LogHandler`: a topic (or several), a group, and every option of a group consumer. */
export interface LogHandlerOptions
  extends SharedHandlerOptions,
    Omit<GroupConsumerInput, 'topics' | 'handler' | 'batchHandler' | 'validate' | 'name' | 'deadLetter'> {
  /** The topic; several; or a pattern, which also takes topics that are declared later. What is given whole is declared. */
  readonly topic: string | RegExp | TopicSource | readonly (string | TopicSource)[];
  /**
   * Which records, by what is known without their payload (headers, key, partition, offset, timestamp, attempt):
   * `({ headers }) => headers.type === 'order-placed'`. Records that no handler of the group wants count as handled. Not for
   * batch handlers. It is synchronous: what it throws, or a promise, is a failed attempt.
   */
  readonly when?: ((context: RecordContext) => boolean) | undefined;
  /** Topic for records that are given up; false: they are only reported. Default: what the topic declares. */
  readonly deadLetter?: string | DeadLetterTarget | undefined;
}

/** A binding of the handler's queue. Given a definition, the exchange is declared too. */
export type HandlerBinding = Omit<BindingDeclaration, 'exchange' | 'queue' | 'toExchange' | 'topic'> & {
  readonly exchange: string | ExchangeDefinition;
};

/** `@QueueHandler`: a queue, its bindings, and every option of a queue consumer. */
export interface QueueHandlerOptions
  extends SharedHandlerOptions,
    Omit<ConsumerInput, 'queue' | 'handler' | 'handlers' | 'batchHandler' | 'validate' | 'name'> {
  /** Its name, and it is declared with default settings when nothing declares it; or its declaration. */
  readonly queue: string | QueueDeclaration | QueueDefinition;
  /** Declared at start, beside the bindings the queue has. */
  readonly bind?: readonly HandlerBinding[] | undefined;
  /**
   * Which of the queue's messages, by routing key (`*` one word, `#` any number). Default: where several handlers share a
   * queue, what the handler's own bindings let through; else everything.
   */
  readonly pattern?: string | undefined;
}
