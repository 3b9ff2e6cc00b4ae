import type { HeadersInput } from '@millrace/core';
import type { MessageRetry } from '@millrace/queue';

/** What can be said about a message that a `MillraceClient` sends. Of a topic's record, `headers` and `key` count. */
export interface MessageOptions {
  /** Facts about the message; names that begin with `millrace-` are reserved, what is `undefined` is left out. */
  readonly headers?: HeadersInput;
  /** Of an event: a second one with an id that the queue remembers is taken for a repetition. */
  readonly messageId?: string;
  /** From 0, the lowest and the default. */
  readonly priority?: number;
  /** How long an event is held back before it is handled. Default 0. */
  readonly delayMs?: number;
  /** How long it may wait to be handled. Default: for ever. */
  readonly expirationMs?: number;
  /** Of an event: how often it is retried where its handler fails. Default: what the handler says. */
  readonly retry?: MessageRetry;
  /** Records of one key keep their order. */
  readonly key?: string;
  /** An event that reaches no queue and no topic is an error. Default false. */
  readonly mandatory?: boolean;
}

/** Data with options: `client.emit('order.created', new MillraceRecord(order, { delayMs: 60_000 }))`. */
export class MillraceRecord<T = unknown> {
  constructor(
    /** What the handler gets. */
    readonly data: T,
    /** What else is said about the message. */
    readonly options: MessageOptions = {},
  ) {}
}
