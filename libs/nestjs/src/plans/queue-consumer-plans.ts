import { randomUUID } from 'node:crypto';
import { type ConsumerInput, type HandlerInput, type MessageHandler, topicMatches } from '@millrace/queue';
import { type ExchangeDefinition, nameOf, type QueueDefinition } from '../decorators/definitions.js';
import type { HandlerBinding } from '../decorators/handler-options.js';
import type { QueueDeclaration, Topology } from '../topology/topology.js';
import type { ConsumerPlan } from './consumer-plan.js';
import type { ResolvedQueueHandler } from './resolved-handler.js';
import { sharedOptions } from './shared-options.js';

/** A handler's share of its consumer. */
interface QueuePart {
  readonly queue: string | QueueDeclaration | QueueDefinition;
  readonly bind: readonly HandlerBinding[];
  readonly pattern: string | undefined;
  readonly label: string;
  /** Options of the consumer as a whole. */
  readonly options: ConsumerPart;
  /** Options of this handler alone. */
  readonly own: Pick<ConsumerInput, OwnOption | 'retry' | 'validate'>;
  readonly resolved: ResolvedQueueHandler;
}

/** Options that each handler of a consumer has for itself. */
type OwnOption = 'handlerTimeoutMs' | 'abortGraceMs';

/** What remains of a handler's options when the plan has taken out its own: options of the consumer. */
type ConsumerPart = Omit<ResolvedQueueHandler['options'], 'queue' | 'bind' | 'pattern' | 'deadLetter' | OwnOption>;

/** The handlers that share a consumer. */
type Parts = readonly [QueuePart, ...QueuePart[]];

type Handling = Omit<ConsumerInput, 'queue' | keyof ConsumerPart>;

/** One consumer per queue, for any number of handlers. Problems are reported, each with its handler. */
export function queueConsumers(
  handlers: readonly ResolvedQueueHandler[],
  report: (problem: string) => void,
): ConsumerPlan[] {
  const byQueue = new Map<string, Parts>();
  for (const resolved of handlers) {
    const part = queuePart(resolved, report);
    const key = JSON.stringify([resolved.millrace.name, nameOf(part.queue)]);
    const others = byQueue.get(key);
    byQueue.set(key, others === undefined ? [part] : [...others, part]);
  }
  return [...byQueue.values()].map((parts) => queueConsumer(parts, report));
}

function queuePart(resolved: ResolvedQueueHandler, report: (problem: string) => void): QueuePart {
  const { queue, bind = [], pattern, handlerTimeoutMs, abortGraceMs, deadLetter, ...options } = resolved.options;
  const { label, retry, validate } = resolved;
  if (deadLetter !== undefined) {
    report(`${label}: the queue's declaration decides where its dead letters go (deadLetter of the queue)`);
  }
  if (pattern !== undefined && typeof pattern !== 'string') report(`${label}: pattern must be a string`);
  if (!isNamed(queue)) report(`${label}: queue must be a queue's name or definition`);
  const areBindings = Array.isArray(bind) && bind.every((binding) => isNamed(binding?.exchange));
  if (!areBindings) report(`${label}: bind must be a list of { exchange, routingKey }`);
  return {
    // Without a name of its own it shares no consumer, and its other problems are found too.
    queue: isNamed(queue) ? queue : `missing-${randomUUID()}`,
    bind: areBindings ? bind : [],
    pattern: typeof pattern === 'string' ? pattern : undefined,
    label,
    options,
    own: { retry, validate, ...given({ handlerTimeoutMs }), ...given({ abortGraceMs }) },
    resolved,
  };
}

function queueConsumer(parts: Parts, report: (problem: string) => void): ConsumerPlan {
  const [first] = parts;
  const { millrace } = first.resolved;
  const queue = nameOf(first.queue);
  const label = parts.map((part) => part.label).join(', ');
  const input: ConsumerInput = { ...sharedOptions(parts, report), queue, name: label, ...handling(parts, report) };
  const source = `queue "${queue}"`;
  return { label, millrace, source, queue, topology: topologyOf(parts), make: () => millrace.broker.consumer(input) };
}

function handling(parts: Parts, report: (problem: string) => void): Handling {
  const [first] = parts;
  const batch = parts.find(({ resolved }) => resolved.kind === 'queue-batch');
  if (batch !== undefined) {
    if (parts.length > 1) report(`${batch.label}: a batch handler must be its queue's only handler`);
    return { batchHandler: batch.resolved.run, ...batch.own };
  }
  if (parts.length === 1 && first.pattern === undefined) return { handler: first.resolved.run, ...first.own };
  return { handlers: parts.flatMap(entriesOf) };
}

/** One entry per pattern. A message that two patterns of one handler match is handled by the first of them. */
function entriesOf(part: QueuePart): HandlerInput[] {
  const { label, own, resolved } = part;
  const patterns = patternsOf(part);
  return patterns.map((pattern, index) => {
    const earlier = patterns.slice(0, index);
    const isFirst = (routingKey: string): boolean => !earlier.some((other) => topicMatches(other, routingKey));
    const handler: MessageHandler = (payload, context) =>
      isFirst(context.routingKey) ? resolved.run(payload, context) : undefined;
    return {
      pattern,
      name: index === 0 ? label : `${label}#${index + 1}`,
      handler: index === 0 ? resolved.run : handler,
      ...own,
    };
  });
}

function patternsOf({ pattern, bind }: QueuePart): readonly string[] {
  if (pattern !== undefined) return [pattern];
  if (bind.length === 0) return ['#'];
  // A fanout or headers exchange does not use the key, so its handlers match any key.
  return [...new Set(bind.map(({ routingKey = '' }) => (routingKey === '' ? '#' : routingKey)))];
}

/** The option, unless it is left out: then the consumer's default applies. */
function given<O extends object>(option: O): { readonly [K in keyof O]?: NonNullable<O[K]> } {
  return Object.values(option).includes(undefined) ? {} : option;
}

function topologyOf(parts: readonly QueuePart[]): Partial<Topology> {
  const bindings = parts.flatMap(({ queue, bind }) =>
    bind.map((binding) => ({ ...binding, exchange: nameOf(binding.exchange), queue: nameOf(queue) })),
  );
  const exchanges = parts
    .flatMap(({ bind }) => bind.map(({ exchange }) => exchange))
    .filter((exchange): exchange is ExchangeDefinition => typeof exchange !== 'string');
  const queues = parts.map(({ queue }) => queue).filter((queue): queue is QueueDefinition => typeof queue !== 'string');
  return { queues, exchanges, bindings };
}

function isNamed(value: unknown): value is string | QueueDefinition {
  if (typeof value === 'string') return true;
  return typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string';
}
