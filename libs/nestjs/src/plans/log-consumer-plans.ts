import { randomUUID } from 'node:crypto';
import { accepted, isThenable } from '@millrace/core';
import { isGenerator, runToEnd } from '@millrace/delivery';
import type { ConsumerInput, RecordContext } from '@millrace/log';
import { nameOf, type TopicDefinition } from '../decorators/definitions.js';
import type { ConsumerPlan } from './consumer-plan.js';
import type { ResolvedLogHandler } from './resolved-handler.js';
import { sharedOptions } from './shared-options.js';
import { overlapOf } from './source-overlap.js';

type Topics = RegExp | readonly (string | TopicDefinition)[];

/** A handler's share of its consumer. */
interface LogPart {
  readonly group: string;
  readonly topics: Topics;
  readonly when: ((context: RecordContext) => boolean) | undefined;
  readonly label: string;
  /** Options of the consumer as a whole. */
  readonly options: ConsumerPart;
  readonly resolved: ResolvedLogHandler;
}

/** What remains of a handler's options when the plan has taken out its own: options of the consumer. */
type ConsumerPart = Pick<ConsumerInput, 'deadLetter' | 'retry'> &
  Omit<ResolvedLogHandler['options'], 'topic' | 'group' | 'when' | 'deadLetter'>;

/** The handlers that share a consumer. */
type Parts = readonly [LogPart, ...LogPart[]];

type Handling = Pick<ConsumerInput, 'handler' | 'batchHandler' | 'validate'>;

/** A record that was validated for each handler that selects it. */
class PreparedRecord {
  readonly runs: readonly { readonly run: ResolvedLogHandler['run']; readonly payload: unknown }[];

  constructor(runs: PreparedRecord['runs']) {
    this.runs = runs;
  }
}

/**
 * One consumer per group and connected set of topics. Handlers of one group that share a topic are one member of the group, and each sees
 * every record of its topics: as separate members, each would get only some of the partitions.
 */
export function logConsumers(
  handlers: readonly ResolvedLogHandler[],
  report: (problem: string) => void,
): ConsumerPlan[] {
  let consumers: Parts[] = [];
  for (const resolved of handlers) {
    const part = logPart(resolved, report);
    const joined = consumers.filter((parts) => parts.some((other) => isOneMember(part, other)));
    const [first, ...others] = joined.flat();
    const parts: Parts = first === undefined ? [part] : [first, ...others, part];
    consumers = [...consumers.filter((one) => !joined.includes(one)), parts];
  }
  const made = consumers.map((parts) => logConsumer(parts, report));
  reportOverlaps(made, report);
  return made;
}

/** Whether two handlers share a consumer: they share a topic by name, or have the same pattern. */
function isOneMember(a: LogPart, b: LogPart): boolean {
  if (a.resolved.millrace !== b.resolved.millrace || a.group !== b.group) return false;
  if (a.topics instanceof RegExp || b.topics instanceof RegExp) return String(a.topics) === String(b.topics);
  const names = a.topics.map(nameOf);
  return b.topics.some((topic) => names.includes(nameOf(topic)));
}

/** Any other overlap involves a pattern. */
function reportOverlaps(consumers: readonly ConsumerPlan[], report: (problem: string) => void): void {
  for (const [index, consumer] of consumers.entries()) {
    for (const other of consumers.slice(0, index)) {
      const overlap = overlapOf(other, consumer);
      if (overlap === undefined) continue;
      report(
        `${consumer.label}: ${other.label} takes ${overlap} too, and each record would reach only one of them. ` +
          'Give both the same topics or pattern (with when, to choose among records), or a group each',
      );
    }
  }
}

function logPart(resolved: ResolvedLogHandler, report: (problem: string) => void): LogPart {
  const { topic, group, when, deadLetter, ...options } = resolved.options;
  const topics = topicsOf(topic);
  if (topics === undefined)
    report(`${resolved.label}: topic must be a topic's name or definition, a list of them, or a RegExp`);
  const isNamed = typeof group === 'string' && group !== '';
  if (!isNamed) report(`${resolved.label}: group is missing: the name under which offsets are kept`);
  const isRule = when === undefined || typeof when === 'function';
  if (!isRule) report(`${resolved.label}: when must be a function of the context`);
  return {
    // Without a name of its own it joins no other handler, and its other problems are found too.
    group: isNamed ? group : `missing-${randomUUID()}`,
    topics: topics ?? ['missing'],
    when: isRule ? when : undefined,
    label: resolved.label,
    options: { ...options, ...deadLetterOf(deadLetter, resolved, report), retry: resolved.retry },
    resolved,
  };
}

function logConsumer(parts: Parts, report: (problem: string) => void): ConsumerPlan {
  const [first] = parts;
  const { millrace } = first.resolved;
  const label = parts.map((part) => part.label).join(', ');
  const named = parts.flatMap(({ topics }) => (topics instanceof RegExp ? [] : topics));
  const topics = first.topics instanceof RegExp ? first.topics : [...new Set(named.map(nameOf))];
  const shared = sharedOptions(parts, report);
  const input: ConsumerInput = {
    ...shared,
    group: first.group,
    topics,
    name: label,
    ...handling(parts, topics, report),
  };
  const declared = named.filter((topic) => typeof topic !== 'string');
  const topology = { topics: declared };
  return {
    label,
    millrace,
    source: `group "${first.group}" of ${topics instanceof RegExp ? topics : topics.toSorted().join(', ')}`,
    group: first.group,
    topics,
    topology,
    make: () => millrace.log.consumer(input),
  };
}

/** A handler that shares the consumer with handlers of other topics does not receive theirs. */
function onlyItsTopics(part: LogPart, all: RegExp | readonly string[]): LogPart {
  if (part.topics instanceof RegExp || all instanceof RegExp) return part;
  const own = new Set(part.topics.map(nameOf));
  if (all.every((topic) => own.has(topic))) return part;
  const { when } = part;
  const isOwn = ({ topic }: RecordContext): boolean => own.has(topic);
  return { ...part, when: when === undefined ? isOwn : (context) => isOwn(context) && when(context) };
}

function handling(parts: Parts, topics: RegExp | readonly string[], report: (problem: string) => void): Handling {
  const [first] = parts;
  const batch = parts.find(({ resolved }) => resolved.kind === 'log-batch');
  if (batch !== undefined) {
    if (parts.length > 1) report(`${batch.label}: a batch handler must be the only one of its group for these topics`);
    if (first.when !== undefined)
      report(`${batch.label}: when is not for batch handlers: choose among its records in the handler`);
    return { batchHandler: batch.resolved.run, validate: batch.resolved.validate };
  }
  if (parts.length === 1 && first.when === undefined) {
    return { handler: first.resolved.run, validate: first.resolved.validate };
  }
  const selecting = parts.map((part) => onlyItsTopics(part, topics));
  return {
    validate: (payload, context) => prepare(selecting, payload, context),
    handler: (prepared, context) => runAll(prepared, context),
  };
}

const isWanted = {
  name: 'when',
  expects: 'true or false, now',
  accepts: (answer: unknown): answer is unknown => !isThenable(answer),
};

/** Validates for all handlers before the first one runs: an invalid record reaches none of them. */
async function prepare(parts: readonly LogPart[], payload: unknown, context: RecordContext): Promise<PreparedRecord> {
  const wanted = parts.filter(({ when }) => when === undefined || accepted(isWanted, when(context)));
  const runs = wanted.map(async ({ resolved }) => ({
    run: resolved.run,
    payload: resolved.validate === undefined ? payload : await resolved.validate(payload, context),
  }));
  return new PreparedRecord(await Promise.all(runs));
}

/** All handlers run, also after one failed; the first failure is the outcome of the record, and then all run again. */
async function runAll(prepared: unknown, context: RecordContext): Promise<void> {
  if (!(prepared instanceof PreparedRecord))
    throw new TypeError('a record reached its handlers without its validation');
  const failures: unknown[] = [];
  for (const { run, payload } of prepared.runs) {
    try {
      const result = await run(payload, context);
      if (isGenerator(result)) await runToEnd(result, context.signal);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

/** The consumer takes the topic's name; the decorator takes `{ topic }`. */
function deadLetterOf(
  target: ResolvedLogHandler['options']['deadLetter'],
  { label }: ResolvedLogHandler,
  report: (problem: string) => void,
): Pick<ConsumerInput, 'deadLetter'> {
  if (target === undefined) return {};
  if (target === false || typeof target === 'string') return { deadLetter: target };
  if (typeof target === 'object' && target !== null && 'topic' in target) return { deadLetter: target.topic };
  report(`${label}: the dead letters of a topic go to a topic: deadLetter must be { topic }, a topic's name, or false`);
  return {};
}

function topicsOf(topic: unknown): Topics | undefined {
  if (topic instanceof RegExp) return topic;
  const list: readonly unknown[] = Array.isArray(topic) ? topic : [topic];
  return list.length > 0 && list.every(isTopic) ? list : undefined;
}

function isTopic(topic: unknown): topic is string | TopicDefinition {
  if (typeof topic === 'string') return topic !== '';
  return typeof topic === 'object' && topic !== null && 'name' in topic && typeof topic.name === 'string';
}
