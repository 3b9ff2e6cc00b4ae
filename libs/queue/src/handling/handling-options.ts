import type { Rate, RetryPolicy } from '@millrace/core';
import type { Handler, Middleware } from '@millrace/delivery';
import type { BatchContext, BatchMessage } from './batch-context.js';
import type { MessageContext } from './message-context.js';

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

/** How the messages of one queue are handled. Exactly one of `handler`, `handlers` and `batchHandler` is given. */
export interface HandlingOptions {
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
  /**
   * Queues to which a message may have its reply sent by naming one in `replyTo`: any publisher writes there what it likes. The reply to
   * another queue is dropped, which is reported (`reply-dropped`); its message is handled. Default: none. `broker.request` needs none:
   * its replies go to the reply stream of its process.
   */
  readonly replyQueues: readonly string[];
  /** Checks a payload and may return a changed one. Default: none. @throws {ValidationError} */
  readonly validate?: ((payload: unknown, context: MessageContext) => unknown) | undefined;
  /** Code around every handler, the first outermost. Default: none. */
  readonly middleware: readonly MessageMiddleware[];
}
