import { randomUUID } from 'node:crypto';
import type { ConsumerInput } from '@millrace/queue';
import { topicMatches } from '@millrace/queue';
import { type ExchangeDefinition, nameOf, type QueueDefinition } from '../decorators/definitions.js';
import type { HandlerBinding } from '../decorators/handler-options.js';
import type { Topology } from '../topology/topology.js';
import type { ConsumerPlan } from './consumer-plan.js';
import type { ResolvedHandler } from './resolved-handler.js';
import { sharedOptions } from './shared-options.js';

/** The options of a queue handler that the consumer does not have. */
interface QueuePart {
  readonly queue: string | QueueDefinition;
  readonly bind: readonly HandlerBinding[];
  readonly pattern: string | undefined;
  /** Options of the consumer as a whole. */
  readonly shared: Readonly<Record<string, unknown>>;
  readonly handlerTimeoutMs: unknown;
  readonly abortGraceMs: unknown;
  readonly resolved: ResolvedHandler;
}

/** One consumer per queue, for any number of handlers. Problems are reported, each with its handler. */
export function queueConsumers(
  handlers: readonly ResolvedHandler[],
  report: (problem: string) => void,
): ConsumerPlan[] {
  const byQueue = new Map<string, QueuePart[]>();
  for (const resolved of handlers) {
    const part = queuePart(resolved, report);
    const key = JSON.stringify([resolved.millrace.name, nameOf(part.queue)]);
    byQueue.set(key, [...(byQueue.get(key) ?? []), part]);
  }
  return [...byQueue.values()].map((parts) => queueConsumer(parts, report));
}

function queuePart(resolved: ResolvedHandler, report: (problem: string) => void): QueuePart {
  const { queue, bind = [], pattern, handlerTimeoutMs, abortGraceMs, deadLetter, ...shared } = resolved.options;
  if (deadLetter !== undefined) {
    report(`${resolved.label}: the queue's declaration decides where its dead letters go (deadLetter of the queue)`);
  }
  if (pattern !== undefined && typeof pattern !== 'string') report(`${resolved.label}: pattern must be a string`);
  if (!isNamed(queue)) report(`${resolved.label}: queue must be a queue's name or definition`);
  const areBindings = Array.isArray(bind) && bind.every((binding) => isNamed(binding?.exchange));
  if (!areBindings) report(`${resolved.label}: bind must be a list of { exchange, routingKey }`);
  return {
    // Without a name of its own it shares no consumer, and its other problems are found too.
    queue: isNamed(queue) ? queue : `missing-${randomUUID()}`,
    bind: areBindings ? bind : [],
    pattern: typeof pattern === 'string' ? pattern : undefined,
    shared,
    handlerTimeoutMs,
    abortGraceMs,
    resolved,
  };
}

function queueConsumer(parts: readonly QueuePart[], report: (problem: string) => void): ConsumerPlan {
  const [first] = parts as readonly [QueuePart, ...QueuePart[]];
  const { millrace } = first.resolved;
  const queue = nameOf(first.queue);
  const label = parts.map(({ resolved }) => resolved.label).join(', ');
  const shared = sharedOptions(
    parts.map(({ shared: options, resolved }) => ({ label: resolved.label, options })),
    report,
  );
  const input = { ...shared, queue, name: label, ...handling(parts, report) } as ConsumerInput;
  const source = `queue "${queue}"`;
  return { label, millrace, source, queue, topology: topologyOf(parts), make: () => millrace.broker.consumer(input) };
}

function handling(parts: readonly QueuePart[], report: (problem: string) => void): Partial<ConsumerInput> {
  const [first] = parts as readonly [QueuePart, ...QueuePart[]];
  const batch = parts.find(({ resolved }) => resolved.kind === 'queue-batch');
  if (batch !== undefined) {
    if (parts.length > 1) report(`${batch.resolved.label}: a batch handler must be its queue's only handler`);
    return batching(batch);
  }
  if (parts.length === 1 && first.pattern === undefined) {
    const { resolved } = first;
    return { handler: resolved.run, retry: resolved.retry, validate: resolved.validate, ...timeout(first) };
  }
  return { handlers: parts.flatMap(entriesOf) as ConsumerInput['handlers'] };
}

/** One entry per pattern. A message that two patterns of one handler match is handled by the first of them. */
function entriesOf(part: QueuePart): object[] {
  const { resolved } = part;
  const patterns = patternsOf(part);
  return patterns.map((pattern, index) => {
    const earlier = patterns.slice(0, index);
    const handler: ResolvedHandler['run'] = (payload, context) => {
      const routingKey = 'routingKey' in context ? String(context.routingKey) : '';
      return earlier.some((other) => topicMatches(other, routingKey)) ? undefined : resolved.run(payload, context);
    };
    return {
      pattern,
      name: index === 0 ? resolved.label : `${resolved.label}#${index + 1}`,
      handler: index === 0 ? resolved.run : handler,
      retry: resolved.retry,
      validate: resolved.validate,
      ...timeout(part),
    };
  });
}

function patternsOf({ pattern, bind }: QueuePart): readonly string[] {
  if (pattern !== undefined) return [pattern];
  if (bind.length === 0) return ['#'];
  // A fanout or headers exchange does not use the key, so its handlers match any key.
  return [...new Set(bind.map(({ routingKey = '' }) => (routingKey === '' ? '#' : routingKey)))];
}

function batching(part: QueuePart): Partial<ConsumerInput> {
  const { resolved } = part;
  return {
    batchHandler: (messages, context) => resolved.run(messages, context) as Promise<undefined>,
    retry: resolved.retry,
    validate: resolved.validate,
    ...timeout(part),
  };
}

function timeout({ handlerTimeoutMs, abortGraceMs }: QueuePart): { handlerTimeoutMs?: number; abortGraceMs?: number } {
  return {
    ...(handlerTimeoutMs === undefined ? {} : { handlerTimeoutMs: handlerTimeoutMs as number }),
    ...(abortGraceMs === undefined ? {} : { abortGraceMs: abortGraceMs as number }),
  };
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
