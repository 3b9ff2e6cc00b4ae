import {
  custom,
  type DeadLetterReason,
  duration,
  integer,
  nameProblem,
  type OptionReader,
  OptionsError,
  optional,
  type Rate,
  type RetryPolicy,
  rateOption,
  required,
  resolveOptions,
  retryPolicy,
  text,
} from '@millrace/core';
import { defaultAbortGraceMs, type Handler, type Middleware } from '@millrace/delivery';
import type { BatchContext, BatchMessage } from '../handling/batch-context.js';
import type { MessageContext } from '../handling/message-context.js';

export type { DeadLetterReason };

/** Handles a message. What it returns is kept as the result, or sent as the reply to a request. */
export type MessageHandler = Handler<MessageContext>;
/** Runs around a message's handler: `(context, next) => next()`. */
export type MessageMiddleware = Middleware<MessageContext>;

/**
 * Handles several messages in one call. A list with one entry per message settles each by itself: an error (also RetryLater,
 * DeadLetter, Drop) settles that message alone, a promise is waited for, anything else is its result: the reply, where it is a
 * request. Any other return value (nothing, a count, what a driver returns) means that all went well; a list of another length with
 * errors in it makes all of them dead letters. Throwing settles all of them alike.
 */
export type BatchHandler = (messages: readonly BatchMessage[], context: BatchContext) => unknown;

/** One of several handlers of a queue. Every one whose pattern matches a message's routing key handles it. */
export interface HandlerOptions {
  /** Topic pattern: `*` is one word, `#` any number. */
  readonly pattern: string;
  /** Handles the messages whose routing key the pattern matches. */
  readonly handler: MessageHandler;
  /** Default: the pattern. It must stay the same over deployments: it is kept with messages that are being retried. */
  readonly name?: string | undefined;
  /** Default: the consumer's. */
  readonly retry?: RetryPolicy | undefined;
  /** How long the handler may take, in ms; 0 or `Infinity`: for ever. Default: the consumer's. */
  readonly handlerTimeoutMs?: number | undefined;
  /** How long the handler has to end after its deadline. Default: the consumer's. */
  readonly abortGraceMs?: number | undefined;
  /** Returns the payload to be handled, or throws. Default: the consumer's. */
  readonly validate?: ((payload: unknown, context: MessageContext) => unknown) | undefined;
  /** Runs around the handler, inside the consumer's own. */
  readonly middleware?: readonly MessageMiddleware[] | undefined;
}

/** What a consumer does with the messages of one queue. Exactly one of `handler`, `handlers` and `batchHandler` is given. */
export interface ConsumerOptions {
  /** The queue it consumes from; it must be declared. */
  readonly queue: string;
  /** Handles every message of the queue. */
  readonly handler?: MessageHandler | undefined;
  /** Handlers by routing key. */
  readonly handlers?: readonly HandlerOptions[] | undefined;
  /** Handles several messages in one call, as `batch` says. */
  readonly batchHandler?: BatchHandler | undefined;
  /** Of a batch: its size (default 100), and how long its first message waits for others (default 50 ms). */
  readonly batch: { readonly maxMessages: number; readonly maxWaitMs: number };
  /** How the consumer is called in lists, logs and metrics. Default: the queue's name. */
  readonly name?: string | undefined;
  /** How many messages (or batches) are handled simultaneously. Default 10. */
  readonly concurrency: number;
  /**
   * Most messages that the consumer holds, running ones included; half of them (of the default a third), or as many as can run,
   * are asked for per turn.
   * Default: as many as can run, and as many more as are handled within 20 ms (up to 1,500, or as many as can run), so that fast
   * handlers never wait for Redis and slow ones leave messages to other consumers.
   */
  readonly prefetch?: number | undefined;
  /** Most bytes of messages held, as far as the size of the last ones shows. Default 64 MiB. */
  readonly maxHeldBytes: number;
  /** −255 to 255: while a consumer of higher priority has room, it gets the messages. Default 0. */
  readonly priority: number;
  /** How long a consumer that Redis hears nothing of keeps its messages. Default 30,000. */
  readonly leaseMs: number;
  /** How long a handler may take; 0 or `Infinity`: for ever. Default 30 minutes, RabbitMQ's consumer timeout. */
  readonly handlerTimeoutMs: number;
  /**
   * How long a handler may go on after its deadline, when its signal was aborted. Then its attempt is given up: the message is
   * retried, with a higher `deliveryCount`, or dead-lettered, although the handler still runs. Default 5,000.
   */
  readonly abortGraceMs: number;
  /** Default: three retries after about 1, 2 and 4 s, then dead letters. `false`: none. */
  readonly retry: RetryPolicy;
  /** Most messages per interval that this consumer takes, evenly spread. For all consumers together: the queue's own `rate`. Default: no limit. */
  readonly rate?: Rate | undefined;
  /**
   * Most messages per second.
   *
   * @deprecated `maxPerSecond: n` is `rate: { limit: n, intervalMs: 1000 }`.
   */
  readonly maxPerSecond?: number | undefined;
  /**
   * How long the result of a handler is kept, in ms, to be read with `broker.queue(name).message(id)`. A result that JSON cannot
   * hold (circular, a BigInt) is not kept, which is reported (`background-error`); its message is handled. Default 0: not at all.
   */
  readonly keepResultMs: number;
  /** Checks a payload and may return a changed one. Default: none. @throws {ValidationError} */
  readonly validate?: ((payload: unknown, context: MessageContext) => unknown) | undefined;
  /** Code around every handler, the first outermost. Default: none. */
  readonly middleware: readonly MessageMiddleware[];
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
    const what = given.length === 0 ? 'nothing to handle messages with' : `${given.join(' and ')} at once`;
    problems.push(`there is ${what}: give one of handler, handlers and batchHandler`);
  }
  // It would get no message: a batch has no context of one.
  if (options.batchHandler !== undefined && options.middleware.length > 0)
    problems.push('middleware is for a handler of single messages: let the batchHandler itself do it');
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
    if (names.has(name)) report(`${path}[${index}]: another handler is called "${name}" as well. Give it a name.`);
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
  name: optional(text('')),
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
  name: optional(text('')),
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
  validate: optionalFunction<ConsumerOptions['validate']>(),
  middleware,
};

const batchReaders = { maxMessages: integer(100, { min: 1, max: 1000 }), maxWaitMs: integer(50) };
