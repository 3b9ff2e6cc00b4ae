import {
  custom,
  duration,
  integer,
  label,
  nameList,
  nameProblem,
  type OptionReader,
  OptionsError,
  optional,
  type RetryPolicy,
  rateOption,
  required,
  resolveOptions,
  retryPolicy,
} from '@millrace/core';
import { defaultAbortGraceMs } from '@millrace/delivery';
import type {
  HandlerOptions,
  HandlingOptions,
  MessageHandler,
  MessageMiddleware,
} from '../handling/handling-options.js';

/** What a consumer does with the messages of one queue. Set exactly one of `handler`, `handlers` and `batchHandler`. */
export interface ConsumerOptions extends HandlingOptions {
  /** −255 to 255: while a consumer of higher priority has room, it gets the messages. Default 0. */
  readonly priority: number;
  /** How long a consumer that is silent keeps its messages, in ms. Default 30,000. */
  readonly leaseMs: number;
}

/** One of several handlers, as users write it. */
export type HandlerInput = Omit<HandlerOptions, 'retry'> & {
  readonly retry?: Partial<RetryPolicy> | false | undefined;
};

/** The options as users write them. */
export type ConsumerInput = Pick<ConsumerOptions, 'queue'> &
  Partial<Omit<ConsumerOptions, 'queue' | 'handlers' | 'retry' | 'batch'>> & {
    readonly handlers?: readonly HandlerInput[] | undefined;
    readonly retry?: Partial<RetryPolicy> | false | undefined;
    readonly batch?: Partial<ConsumerOptions['batch']> | undefined;
  };

/** @throws {OptionsError} with every problem */
export function resolveConsumer(input: ConsumerInput): ConsumerOptions {
  const subject = `consumer of queue ${JSON.stringify(input?.queue)}`;
  const options = resolveOptions<ConsumerOptions>(subject, { ...readers, rate: rateOption(input) }, input);
  const given = (['handler', 'handlers', 'batchHandler'] as const).filter((key) => options[key] !== undefined);
  const problems: string[] = [];
  if (given.length !== 1) {
    const what = given.length === 0 ? 'no handler' : `more than one handler: ${given.join(', ')}`;
    problems.push(`there is ${what}. Give exactly one of handler, handlers and batchHandler`);
  }
  // Its middleware would never run: a batch has no MessageContext.
  if (options.batchHandler !== undefined && options.middleware.length > 0)
    problems.push('middleware is for a handler of single messages: do it in the batchHandler itself');
  if (problems.length > 0) throw new OptionsError(subject, problems);
  return options;
}

function isFunction(value: unknown): value is () => never {
  return typeof value === 'function';
}

const queueName: OptionReader<string> = (value, report) => {
  const problem = nameProblem('queue', value);
  if (problem !== undefined) report(problem);
  return String(value);
};

const middleware: OptionReader<readonly MessageMiddleware[]> = (value, report, path) => {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every(isFunction)) return value;
  report(`${path} must be a list of functions`);
  return [];
};

const replyQueues: OptionReader<readonly string[]> = (value, report, path) =>
  value === undefined ? [] : nameList('queue')(value, report, path);

const handlers: OptionReader<readonly HandlerOptions[] | undefined> = (value, report, path) => {
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || value.length === 0) {
    report(`${path} must be a list of { pattern, handler } with at least one entry`);
    return undefined;
  }
  const names = new Set<string>();
  return value.map((entry, index) => {
    const options = readHandler(entry, report, `${path}[${index}]`);
    const name = options.name ?? options.pattern;
    if (names.has(name)) report(`${path}[${index}]: another handler is also named "${name}". Give it a name.`);
    names.add(name);
    return options;
  });
};

function readHandler(value: unknown, report: (problem: string) => void, path: string): HandlerOptions {
  try {
    return resolveOptions<HandlerOptions>(path, handlerReaders, value);
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error;
    for (const problem of error.problems) report(`${path}: ${problem}`);
    return { pattern: '#', handler: () => undefined };
  }
}

const optionalFunction = <T>() =>
  optional(custom<T>(undefined as T, 'a function', isFunction as (value: unknown) => value is T));
const positive = optional(integer(1, { min: 1 }));

const handlerReaders = {
  pattern: (value: unknown, report: (problem: string) => void, path: string): string => {
    if (typeof value !== 'string') report(`${path} must be a topic pattern, '#' for every message`);
    return String(value);
  },
  handler: required(custom<MessageHandler>(() => undefined, 'a function', isFunction)),
  name: optional(label('')),
  retry: optional(retryPolicy()),
  handlerTimeoutMs: optional(duration(0)),
  abortGraceMs: optional(duration(0)),
  validate: optionalFunction<HandlerOptions['validate']>(),
  middleware: optional(middleware),
};

const readers = {
  queue: queueName,
  handler: optionalFunction<ConsumerOptions['handler']>(),
  handlers,
  batchHandler: optionalFunction<ConsumerOptions['batchHandler']>(),
  batch: (value: unknown): ConsumerOptions['batch'] =>
    resolveOptions<ConsumerOptions['batch']>('batch', batchReaders, value ?? {}),
  name: optional(label('')),
  concurrency: integer(10, { min: 1, max: 1000 }),
  prefetch: optional(integer(1, { min: 1, max: 10_000 })),
  maxHeldBytes: integer(64 * 1024 * 1024, { min: 1 }),
  priority: integer(0, { min: -255, max: 255 }),
  leaseMs: integer(30_000, { min: 500 }),
  handlerTimeoutMs: duration(1_800_000),
  abortGraceMs: duration(defaultAbortGraceMs),
  retry: retryPolicy(),
  maxPerSecond: positive,
  keepResultMs: integer(0),
  replyQueues,
  validate: optionalFunction<ConsumerOptions['validate']>(),
  middleware,
};

const batchReaders = { maxMessages: integer(100, { min: 1, max: 1000 }), maxWaitMs: integer(50) };
