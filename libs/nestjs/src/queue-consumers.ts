import { randomUUID } from 'node:crypto';
import type { ConsumerInput } from '@millrace/queue';
import { topicMatches } from '@millrace/queue';
import type { ConsumerPlan } from './consumer-plan.js';
import { type ExchangeDefinition, nameOf, type QueueDefinition } from './definitions.js';
import type { HandlerBinding } from './handler-options.js';
import type { HandlerPlan } from './handler-plan.js';
import { sharedOptions } from './shared-options.js';
import type { Topology } from './topology.js';

/** What a queue handler's options hold that the consumer's do not. */
interface QueuePart {
  readonly queue: string | QueueDefinition;
  readonly bind: readonly HandlerBinding[];
  readonly pattern: string | undefined;
  /** Options of the consumer as a whole. */
  readonly shared: Readonly<Record<string, unknown>>;
  readonly handlerTimeoutMs: unknown;
  readonly abortGraceMs: unknown;
  readonly plan: HandlerPlan;
}

/** One consumer for each queue, whatever number of handlers it has. Problems are reported, each with its handler. */
export function queueConsumers(plans: readonly HandlerPlan[], report: (problem: string) => void): ConsumerPlan[] {
  const byQueue = new Map<string, QueuePart[]>();
  for (const plan of plans) {
    const part = queuePart(plan, report);
    const key = JSON.stringify([plan.millrace.name, nameOf(part.queue)]);
    byQueue.set(key, [...(byQueue.get(key) ?? []), part]);
  }
  return [...byQueue.values()].map((parts) => queueConsumer(parts, report));
}

function queuePart(plan: HandlerPlan, report: (problem: string) => void): QueuePart {
  const { queue, bind = [], pattern, handlerTimeoutMs, abortGraceMs, deadLetter, ...shared } = plan.options;
  if (deadLetter !== undefined) {
    report(
      `${plan.label}: the dead letters of a queue go where the queue's declaration says (deadLetter of the queue)`,
    );
  }
  if (pattern !== undefined && typeof pattern !== 'string') report(`${plan.label}: pattern must be a string`);
  if (!isNamed(queue)) report(`${plan.label}: queue must be a queue's name or definition`);
  const areBindings = Array.isArray(bind) && bind.every((binding) => isNamed(binding?.exchange));
  if (!areBindings) report(`${plan.label}: bind must be a list of { exchange, routingKey }`);
  return {
    // Without its own it shares no consumer, and what else is wrong with it is found too.
    queue: isNamed(queue) ? queue : `missing-${randomUUID()}`,
    bind: areBindings ? bind : [],
    pattern: typeof pattern === 'string' ? pattern : undefined,
    shared,
    handlerTimeoutMs,
    abortGraceMs,
    plan,
  };
}

function queueConsumer(parts: readonly QueuePart[], report: (problem: string) => void): ConsumerPlan {
  const [first] = parts as readonly [QueuePart, ...QueuePart[]];
  const { millrace } = first.plan;
  const queue = nameOf(first.queue);
  const label = parts.map(({ plan }) => plan.label).join(', ');
  const shared = sharedOptions(
    parts.map(({ shared: options, plan }) => ({ label: plan.label, options })),
    report,
  );
  const input = { ...shared, queue, name: label, ...handling(parts, report) } as ConsumerInput;
  const source = `queue "${queue}"`;
  return { label, millrace, source, queue, topology: topologyOf(parts), make: () => millrace.broker.consumer(input) };
}

function handling(parts: readonly QueuePart[], report: (problem: string) => void): Partial<ConsumerInput> {
  const [first] = parts as readonly [QueuePart, ...QueuePart[]];
  const batch = parts.find(({ plan }) => plan.kind === 'queue-batch');
  if (batch !== undefined) {
    if (parts.length > 1) report(`${batch.plan.label}: a batch handler must be its queue's only handler`);
    return batching(batch);
  }
  if (parts.length === 1 && first.pattern === undefined) {
    const { plan } = first;
    return { handler: plan.run, retry: plan.retry, validate: plan.validate, ...timeout(first) };
  }
  return { handlers: parts.flatMap(entriesOf) as ConsumerInput['handlers'] };
}

/** One entry a pattern. What two patterns of one handler match is handled by the first of them. */
function entriesOf(part: QueuePart): object[] {
  const { plan } = part;
  const patterns = patternsOf(part);
  return patterns.map((pattern, index) => {
    const earlier = patterns.slice(0, index);
    const handler: HandlerPlan['run'] = (payload, context) => {
      const routingKey = 'routingKey' in context ? String(context.routingKey) : '';
      return earlier.some((other) => topicMatches(other, routingKey)) ? undefined : plan.run(payload, context);
    };
    return {
      pattern,
      name: index === 0 ? plan.label : `${plan.label}#${index + 1}`,
      handler: index === 0 ? plan.run : handler,
      retry: plan.retry,
      validate: plan.validate,
      ...timeout(part),
    };
  });
}

function patternsOf({ pattern, bind }: QueuePart): readonly string[] {
  if (pattern !== undefined) return [pattern];
  if (bind.length === 0) return ['#'];
  // A fanout or headers exchange does not use the key: then handlers with different keys are alike.
  return [...new Set(bind.map(({ routingKey = '' }) => (routingKey === '' ? '#' : routingKey)))];
}

function batching(part: QueuePart): Partial<ConsumerInput> {
  const { plan } = part;
  return {
    batchHandler: (messages, context) => plan.run(messages, context) as Promise<undefined>,
    retry: plan.retry,
    validate: plan.validate,
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
