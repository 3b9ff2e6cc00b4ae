import type { Rate, RetryPolicy } from '@millrace/core';
import type { Handler, Middleware } from '@millrace/delivery';
import type { BatchContext, BatchMessage } from './batch-context.js';
import type { MessageContext } from './message-context.js';

/** Handles a message. Its return value is kept as the result, or sent as the reply to a request. */
export type MessageHandler = Handler<MessageContext>;
/** Runs around a message's handler: `(context, next) => next()`. */
export type MessageMiddleware = Middleware<MessageContext>;

/**
 * Handles several messages in one call. A returned list with one entry per message settles each by itself: an error (also RetryLater,
 * DeadLetter, Drop) settles that message alone, a promise is awaited, anything else is its result: the reply, where it is a
 * request. Any other return value (nothing, a count, what a driver returns) means that all succeeded; a list of another length with
 * errors in it makes all of them dead letters. Throwing settles all of them alike.
 */
export type BatchHandler = (messages: readonly BatchMessage[], context: BatchContext) => unknown;

/** One of several handlers of a queue. Each one whose pattern matches a message's routing key handles it. */
export interface HandlerOptions {
  /** Topic pattern: `*` is one word, `#` any number. */
  readonly pattern: string;
  /** Handles the messages whose routing key the pattern matches. */
  readonly handler: MessageHandler;
  /** The handler's name; must not change between deployments, since it is stored with messages that are retried. Default: the pattern. */
  readonly name?: string | undefined;
  /** How failures are retried. Default: the consumer's. */
  readonly retry?: RetryPolicy | undefined;
  /** How long the handler may take, in ms; 0 or `Infinity`: no limit. Default: the consumer's. */
  readonly handlerTimeoutMs?: number | undefined;
  /** How long the handler may go on after its deadline, in ms. Default: the consumer's. */
  readonly abortGraceMs?: number | undefined;
  /** Checks the payload and may return a changed one. Default: the consumer's. */
  readonly validate?: ((payload: unknown, context: MessageContext) => unknown) | undefined;
  /** Runs around the handler, inside the consumer's own. */
  readonly middleware?: readonly MessageMiddleware[] | undefined;
}

/** How the messages of one queue are handled. Set exactly one of `handler`, `handlers` and `batchHandler`. */
export interface HandlingOptions {
  /** The queue it consumes from; it must be declared. */
  readonly queue: string;
  /** Handles every message of the queue. */
  readonly handler?: MessageHandler | undefined;
  /** Handlers by routing key. */
  readonly handlers?: readonly HandlerOptions[] | undefined;
  /** Handles several messages in one call: see `batch`. */
  readonly batchHandler?: BatchHandler | undefined;
  /** The batch size (default 100), and how long the first message of a batch waits for others, in ms (default 50). */
  readonly batch: { readonly maxMessages: number; readonly maxWaitMs: number };
  /** The consumer's name in lists, logs and metrics. Default: the queue's name. */
  readonly name?: string | undefined;
  /** How many messages (or batches) are handled simultaneously. Default 10. */
  readonly concurrency: number;
  /**
   * Most messages that the consumer holds, running ones included; half of them (of the default a third), but at least as many as can run,
   * are asked for per turn.
   * Default: as many as can run, plus as many as are handled within 20 ms (up to 1,500, or as many as can run), so that fast
   * handlers never wait for Redis and slow ones leave messages to other consumers.
   */
  readonly prefetch?: number | undefined;
  /** Most bytes of messages held, estimated from the size of the last ones. Default 64 MiB. */
  readonly maxHeldBytes: number;
  /** How long a handler may take, in ms; 0 or `Infinity`: no limit. Default 30 minutes, as RabbitMQ's consumer timeout. */
  readonly handlerTimeoutMs: number;
  /**
   * How long a handler may go on after its deadline, when its signal was aborted, in ms. Then its attempt is given up: the message is
   * retried, with a higher `deliveryCount`, or dead-lettered, although the handler still runs. Default 5,000.
   */
  readonly abortGraceMs: number;
  /** How failures are retried. Default: three retries after about 1, 2 and 4 s, then dead letters. `false`: none. */
  readonly retry: RetryPolicy;
  /**
   * Most messages per interval that this consumer takes, evenly spread. For all consumers together: the queue's own `rate`. Default: no
   * limit.
   */
  readonly rate?: Rate | undefined;
  /**
   * Most messages per second.
   *
   * @deprecated `maxPerSecond: n` is `rate: { limit: n, intervalMs: 1000 }`.
   */
  readonly maxPerSecond?: number | undefined;
  /**
   * How long the result of a handler is kept, in ms, to be read with `broker.queue(name).message(id)`. A result that JSON cannot
   * hold (circular, a BigInt) is not kept, which is reported (`background-error`); its message is handled. Default 0: not kept.
   */
  readonly keepResultMs: number;
  /**
   * Queues to which replies may be sent when a message names one in `replyTo`, which any publisher can set. A reply to
   * another queue, to one that does not exist, or to a full one that refuses it is dropped, which is reported (`reply-dropped`); its
   * message is handled. Default: none. `broker.request` needs none: its replies go to the reply stream of its process.
   */
  readonly replyQueues: readonly string[];
  /** Checks a payload and may return a changed one. Default: none. @throws {ValidationError} */
  readonly validate?: ((payload: unknown, context: MessageContext) => unknown) | undefined;
  /** Wraps every handler, the first outermost. Default: none. */
  readonly middleware: readonly MessageMiddleware[];
}
