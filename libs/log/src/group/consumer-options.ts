import {
  boolean,
  custom,
  duration,
  integer,
  label,
  type OptionReader,
  object,
  oneOf,
  optional,
  type Rate,
  type RetryPolicy,
  rateOption,
  required,
  resolveOptions,
  retryPolicy,
  topicNameProblem,
} from '@millrace/core';
import { defaultAbortGraceMs, type Handler, type Middleware } from '@millrace/delivery';
import { orderings } from '../model/key-queues.js';
import { type OutOfRangePolicy, outOfRangePolicies } from '../model/offset-range.js';
import { placeOption } from '../model/read-range.js';
import type { BatchHandler, HandlingOptions } from '../partition/handling-options.js';
import type { RecordContext } from '../partition/record-context.js';

/** Where a group starts reading a partition that it has no offset for. */
export type From = 'earliest' | 'latest' | { readonly timestamp: number };

/** How a member of a consumer group reads and handles records. */
export interface ConsumerOptions extends HandlingOptions {
  /** Default `earliest`. Used only while the group has no committed offset. */
  readonly from: From;
  /** What to do when the committed offset is no longer in the log. Default `earliest`: the oldest record there is. */
  readonly onOutOfRange: OutOfRangePolicy;
  /** Topic for records that are given up; false: they are only reported. Default: what the topic declares. */
  readonly deadLetter?: string | false | undefined;
  /**
   * How many replicas must have a dead letter before its record is finished and can be committed, so that a failover does not
   * lose it. Default 0: only the master. With fewer replicas the record waits, and `background-error` is emitted.
   */
  readonly minReplicas: number;
  /** How long to wait for replicas per dead letter, in ms. Default 3,000; at most 5,000. */
  readonly replicaTimeoutMs: number;
  /** Longest time between a record's completion and its commit, in ms. Default 100. */
  readonly commitIntervalMs: number;
  /** A static member id: a restart within `sessionTimeoutMs` under the same id moves no partition (KIP-345). Default: none. */
  readonly memberId?: string | undefined;
  /** How long the group waits for a member that is silent, in ms. Default `leaseMs`; with a `memberId` 45,000, as in Kafka. */
  readonly sessionTimeoutMs?: number | undefined;
  /** Time between heartbeats, in ms. Default 500, at most a third of `leaseMs`. */
  readonly heartbeatMs: number;
  /** How long running handlers may take to end before a partition is handed over, in ms. Default 30,000. */
  readonly revokeTimeoutMs: number;
  /** How often the group looks for new topics and partitions, in ms. Default 1,000. */
  readonly topicRefreshMs: number;
  /** The most records read ahead, over all partitions of this member. Default 10,000. */
  readonly prefetchRecords: number;
  /** The most bytes read ahead, over all partitions of this member. Default 32 MiB. */
  readonly prefetchBytes: number;
  /** The highest rate of records, over all partitions of this member, evenly spread. Default: no limit. */
  readonly rate?: Rate | undefined;
  /**
   * Records per second.
   *
   * @deprecated `maxPerSecond: n` is `rate: { limit: n, intervalMs: 1000 }`.
   */
  readonly maxPerSecond?: number | undefined;
  /** Wraps a handler of single records, the first outermost. Rejected with a `batchHandler`. */
  readonly middleware: readonly Middleware<RecordContext>[];
  /** The handler's name in events and metrics. Default: the group. */
  readonly name?: string | undefined;
  /** Starts with all partitions paused. Default false. */
  readonly startPaused: boolean;
}

/** The consumer options as users write them. */
export type ConsumerInput = Partial<Omit<ConsumerOptions, 'batch' | 'retry' | 'topics'>> &
  Pick<ConsumerOptions, 'group'> & {
    readonly topics: string | readonly string[] | RegExp;
    readonly batch?: Partial<ConsumerOptions['batch']> | undefined;
    readonly retry?: Partial<RetryPolicy> | false | undefined;
  };

/** @throws {OptionsError} with all problems */
export function resolveConsumerOptions(input: ConsumerInput): ConsumerOptions {
  const subject = typeof input?.group === 'string' ? `consumer of group "${input.group}"` : 'consumer';
  const handlers = [input?.handler, input?.batchHandler].filter((handler) => handler !== undefined);
  const checked = handlers.length === 1 ? input : { ...input, handler: handlers.length };
  return resolveOptions<ConsumerOptions>(subject, readersFor(input), checked);
}

function readersFor(input: ConsumerInput): Parameters<typeof resolveOptions<ConsumerOptions>>[1] {
  const leaseMs = typeof input?.leaseMs === 'number' ? input.leaseMs : 10_000;
  return {
    group: required(name('group', '')),
    topics: required(topics),
    handler,
    batchHandler: optional(custom(noBatchHandler, 'a function', isFunction<BatchHandler>)),
    batch: object({ maxRecords: integer(100, { min: 1 }), lingerMs: integer(0) }),
    from: placeOption({ isOffset: false }),
    onOutOfRange: oneOf(outOfRangePolicies, 'earliest'),
    ordering: oneOf(orderings, 'key'),
    concurrency: integer(16, { min: 1, max: 100_000 }),
    retry: retryPolicy(),
    deliveryLimit: integer(5, { min: 1 }),
    deadLetter: optional(deadLetterOf(input?.topics)),
    minReplicas: integer(0),
    replicaTimeoutMs: integer(3000, { min: 1, max: 5000 }),
    handlerTimeoutMs: duration(300_000),
    abortGraceMs: duration(defaultAbortGraceMs),
    commit: oneOf(['auto', 'manual'], 'auto'),
    commitIntervalMs: integer(100),
    memberId: optional(name('member', '')),
    leaseMs: integer(10_000, { min: 100 }),
    sessionTimeoutMs: optional(integer(leaseMs, { min: 100 })),
    heartbeatMs: integer(Math.max(1, Math.min(500, Math.floor(leaseMs / 3))), { min: 1, max: Math.floor(leaseMs / 3) }),
    revokeTimeoutMs: duration(30_000),
    topicRefreshMs: integer(1000, { min: 1 }),
    prefetchRecords: integer(10_000, { min: 1 }),
    prefetchBytes: integer(32 * 1024 * 1024, { min: 1 }),
    maxUncommittedRecords: integer(50_000, { min: 1, max: 1_000_000 }),
    rate: rateOption(input),
    maxPerSecond: optional(integer(1, { min: 1 })),
    middleware: input?.batchHandler === undefined ? middleware : noMiddleware,
    validate: optional(custom((payload: unknown) => payload, 'a function', isFunction<(payload: unknown) => unknown>)),
    name: optional(label('')),
    startPaused: boolean(false),
  };
}

const handler: OptionReader<ConsumerOptions['handler']> = (value, report) => {
  if (value === 0) report('handler is missing: give handler, or batchHandler');
  else if (value === 2) report('only one of handler and batchHandler may be given');
  else if (value !== undefined && typeof value !== 'function') report('handler must be a function');
  return isFunction<Handler<RecordContext>>(value) ? value : undefined;
};

const topics: OptionReader<ConsumerOptions['topics']> = (value, report, path) => {
  if (value instanceof RegExp) return value;
  const names: unknown[] = typeof value === 'string' ? [value] : Array.isArray(value) ? value : [];
  if (names.length === 0 && value !== undefined) report(`${path} must be a topic's name, a list of names or a RegExp`);
  return names.filter((one): one is string => {
    const problem = topicNameProblem(one);
    if (problem !== undefined) report(problem);
    return problem === undefined;
  });
};

/** Another topic than the one that is consumed: what is given up there would come back endlessly. */
function deadLetterOf(consumed: unknown): OptionReader<string | false> {
  const names = Array.isArray(consumed) ? consumed : [consumed];
  return (value, report, path) => {
    if (value === false) return false;
    if (typeof value === 'string' && names.every((consumedName) => consumedName === value)) {
      report(`${path} must be another topic than the one that is consumed`);
    }
    const problem = value === undefined ? undefined : topicNameProblem(value, `${path} topic`);
    if (problem !== undefined) report(problem);
    return typeof value === 'string' ? value : '';
  };
}

function name(kind: string, fallback: string): OptionReader<string> {
  return (value, report) => {
    if (value === undefined) return fallback;
    const problem = topicNameProblem(value, kind);
    if (problem !== undefined) report(problem);
    return typeof value === 'string' ? value : fallback;
  };
}

const middleware = custom<ConsumerOptions['middleware']>([], 'a list of functions', isFunctions);

/** A middleware expects one record; a batch handler has none. */
const noMiddleware: OptionReader<ConsumerOptions['middleware']> = (value, report, path) => {
  if (!Array.isArray(value) || value.length > 0) {
    if (value !== undefined) report(`${path} is for a handler of single records: do it in the batchHandler itself`);
  }
  return [];
};

const noBatchHandler: BatchHandler = () => undefined;

function isFunction<T>(value: unknown): value is T {
  return typeof value === 'function';
}

function isFunctions(value: unknown): value is ConsumerOptions['middleware'] {
  return Array.isArray(value) && value.every((one) => typeof one === 'function');
}
