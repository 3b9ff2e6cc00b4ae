import { brand, type HeadersInput } from '@millrace/core';
import type { MessageRetry } from '@millrace/queue';

/** Options of a message that a `MillraceClient` sends. A record of a topic uses `headers` and `key` only. */
export interface MessageOptions {
  /** Headers; names that begin with `millrace-` are reserved, values that are `undefined` are left out. */
  readonly headers?: HeadersInput;
  /** For events: another one with an id that the queue remembers counts as a repetition. */
  readonly messageId?: string;
  /** The priority, from 0, which is the lowest and the default. */
  readonly priority?: number;
  /** How long an event is held back before it is handled, in ms. Default 0. */
  readonly delayMs?: number;
  /** How long the message may wait to be handled, in ms. Default: without limit. */
  readonly expirationMs?: number;
  /** For events: how often it is retried when its handler fails. Default: the handler's policy. */
  readonly retry?: MessageRetry;
  /** The key of a record: records of one key keep their order. */
  readonly key?: string;
  /** Fail if an event reaches no queue and no topic. Default false. */
  readonly mandatory?: boolean;
}

/** Data with options: `client.emit('order.created', new MillraceRecord(order, { delayMs: 60_000 }))`. */
export class MillraceRecord<T = unknown> {
  constructor(
    /** The data for the handler. */
    readonly data: T,
    /** The options of the message. */
    readonly options: MessageOptions = {},
  ) {}
}

brand({ MillraceRecord });
