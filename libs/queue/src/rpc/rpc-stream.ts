import { startTimer, stopTimer, type Timer } from '@millrace/core';
import type { Reply } from '../model/reply-frame.js';
import { defaultReplyWaitMs } from './retry-until.js';

/** What a stream of replies needs of its client. */
export interface RpcStreamParts {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  timedOut(): Error;
  decode(reply: Reply): unknown;
  failure(reply: Reply): Error;
  /** Another responder replies to it as well. */
  taken(): Error;
  /** Its reply may be lost with the reply stream. */
  lost(): Error;
  /** This many items were consumed: the responder may send more. */
  consumed(count: number): void;
  /** It has ended; complete if the responder ended it. */
  ended(isComplete: boolean): void;
}

/** After this many items the responder is informed that they were read, well before its window of 128 is used up. */
const consumedStep = 32;

/** The replies to one request, in order: exactly one, or as many as the handler yields. */
export class RpcStream implements AsyncIterableIterator<unknown> {
  readonly #parts: RpcStreamParts;
  readonly #waiting: Reply[] = [];
  #consumed = 0;
  /** When the responder was last informed. */
  #consumedAt = performance.now();
  /** When the last reply came, or the last waiting one was taken: since then the responder is silent. */
  #since = performance.now();
  #expected = 0;
  /** The responder that sends the items. */
  #author: string | undefined;
  #error: { readonly error: unknown } | undefined;
  #isEnded = false;
  /** Pending calls of `next`. */
  #waiters: (() => void)[] = [];
  #timer: Timer | undefined;

  constructor(parts: RpcStreamParts) {
    this.#parts = parts;
    this.#timer = startTimer(this.#look, parts.timeoutMs);
    parts.signal?.addEventListener('abort', this.#aborted, { once: true });
    if (parts.signal?.aborted === true) queueMicrotask(this.#aborted);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** A redelivered request may get two replies, and a reply may be sent twice: anything but the next one is a duplicate. */
  reply(reply: Reply, author?: string): void {
    if (this.#isEnded) return;
    if (reply.kind === 'item' || reply.kind === 'end') {
      this.#author ??= author;
      if (author !== this.#author) this.failed(this.#parts.taken());
      if (author !== this.#author || reply.sequence !== this.#expected) return;
    }
    // From another responder: a stream has one author.
    if (reply.kind === 'result' && this.#expected > 0) return;
    this.#expected++;
    this.#waiting.push(reply);
    this.#since = performance.now();
    this.#wake();
  }

  failed(error: unknown): void {
    if (this.#isEnded || this.#error !== undefined) return;
    this.#error = { error };
    stopTimer(this.#timer);
    this.#wake();
  }

  lost(): void {
    this.failed(this.#parts.lost());
  }

  async next(): Promise<IteratorResult<unknown>> {
    while (this.#waiting.length === 0 && this.#error === undefined && !this.#isEnded) {
      await new Promise<void>((resolve) => {
        this.#waiters.push(resolve);
      });
    }
    const reply = this.#waiting.shift();
    if (this.#isEnded) return { done: true, value: undefined };
    if (reply === undefined) {
      this.#end(false);
      throw this.#error?.error;
    }
    if (this.#waiting.length === 0) this.#since = performance.now();
    return this.#deliver(reply);
  }

  async return(): Promise<IteratorResult<unknown>> {
    this.#end(false);
    return { done: true, value: undefined };
  }

  #deliver(reply: Reply): IteratorResult<unknown> {
    switch (reply.kind) {
      case 'item':
        this.#consume();
        return { done: false, value: this.#parts.decode(reply) };
      case 'result': {
        this.#end(true);
        return { done: false, value: this.#parts.decode(reply) };
      }
      case 'end':
        this.#end(true);
        return { done: true, value: undefined };
      case 'error':
        this.#end(true);
        throw this.#parts.failure(reply);
      default:
        return reply.kind satisfies never;
    }
  }

  /** A requester that takes long per item also reports in time: the responder waits for room no longer than `timeoutMs`. */
  #consume(): void {
    const now = performance.now();
    const isLate = now - this.#consumedAt > Math.min(this.#parts.timeoutMs, defaultReplyWaitMs) / 4;
    if (++this.#consumed % consumedStep !== 0 && !isLate) return;
    this.#consumedAt = now;
    this.#parts.consumed(this.#consumed);
  }

  /** Fails when nothing came for `timeoutMs`. Replies that came and were not taken yet do not count as silence. */
  readonly #look = (): void => {
    const { timeoutMs, timedOut } = this.#parts;
    const isBehind = this.#waiting.length > 0;
    const restMs = isBehind ? timeoutMs : this.#since + timeoutMs - performance.now();
    if (restMs <= 0) {
      this.failed(timedOut());
      return;
    }
    this.#timer = startTimer(this.#look, restMs);
    // An abandoned stream does not keep the process alive.
    if (isBehind) this.#timer.unref();
  };

  #end(isComplete: boolean): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    stopTimer(this.#timer);
    this.#parts.signal?.removeEventListener('abort', this.#aborted);
    this.#parts.ended(isComplete);
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }

  readonly #aborted = (): void => this.failed(this.#parts.signal?.reason);
}
