import type { RecordContext } from '@millrace/log';
import type { BindingDeclaration, ConsumerInput } from '@millrace/queue';
import type { GroupConsumerInput } from '../plans/log-consumer-plans.js';
import type { QueueDeclaration, TopicDeclaration } from '../topology/topology.js';
import type { ExchangeDefinition, QueueDefinition, TopicDefinition } from './definitions.js';
import type { PayloadType } from './payload-type.js';
import type { DeadLetterTarget } from './policy-decorators.js';

/** The options of all kinds of handlers. */
interface SharedHandlerOptions {
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

/** `@LogHandler`: a topic (or several), a group, and every option of a group consumer. */
export interface LogHandlerOptions
  extends SharedHandlerOptions,
    Omit<GroupConsumerInput, 'topics' | 'handler' | 'batchHandler' | 'validate' | 'name' | 'deadLetter'> {
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

/** A binding of the handler's queue. Given a definition, the exchange is declared too. */
export type HandlerBinding = Omit<BindingDeclaration, 'exchange' | 'queue' | 'toExchange' | 'topic'> & {
  readonly exchange: string | ExchangeDefinition;
};

/** `@QueueHandler`: a queue, its bindings, and every option of a queue consumer. */
export interface QueueHandlerOptions
  extends SharedHandlerOptions,
    Omit<ConsumerInput, 'queue' | 'handler' | 'handlers' | 'batchHandler' | 'validate' | 'name'> {
  /** Its declaration, or its name: then it is declared with default settings, unless a module declares it. */
  readonly queue: string | QueueDeclaration | QueueDefinition;
  /** Bindings that are declared at start, in addition to those that the queue has. */
  readonly bind?: readonly HandlerBinding[] | undefined;
  /**
   * Selects messages of the queue by routing key (`*` one word, `#` any number of words). Default: where several handlers share a queue,
   * the routing keys of the handler's bindings; else all messages.
   */
  readonly pattern?: string | undefined;
}
