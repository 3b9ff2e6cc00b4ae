import { randomBytes } from 'node:crypto';
import { pause } from '@millrace/core';
import type { RedisConnection } from '@millrace/redis';
import type { ReplyKeys } from '../store/keys.js';
import { replyWindow, sendReplyItems } from '../store/replies.js';
import { retryUntil } from './retry-until.js';

/** Most items that wait here to be sent: enough to share a call, few enough that a slow requester slows its handler down. */
const maxWaiting = 64;

/** Where a stream of replies goes, and when it is given up. */
export interface ReplyItemsTarget {
  readonly keys: ReplyKeys;
  readonly correlationId: string;
  /** How long the requester may go without consuming anything, in ms. */
  readonly stallMs: number;
  readonly isGivenUp: () => boolean;
  /** Called when Redis has stored some items: the request is alive. */
  readonly onTaken: () => void;
}

/** The items of one stream of replies that are being sent: those yielded in one tick, or while a call is under way, share a call. */
export class ReplyItems {
  readonly #connection: RedisConnection;
  readonly #target: ReplyItemsTarget;
  readonly #author = randomBytes(9).toString('base64url');
  #waiting: Buffer[] = [];
  /** Number of the first item that waits. */
  #first = 0;
  /** How many items the requester has consumed, as far as is known. */
  #consumed = 0;
  #isRequesterGone = false;
  #sending: Promise<void> | undefined;
  #error: { readonly error: unknown } | undefined;
  #onRoom: (() => void) | undefined;

  constructor(connection: RedisConnection, target: ReplyItemsTarget) {
    this.#connection = connection;
    this.#target = target;
  }

  /** Whether the requester is gone: further items are ignored. */
  get isRequesterGone(): boolean {
    return this.#isRequesterGone;
  }

  /** Adds the next item; returns a promise when the caller must wait before it makes another. */
  add(frame: Buffer): Promise<void> | undefined {
    if (this.#error !== undefined) return this.sent();
    this.#waiting.push(frame);
    this.#sending ??= new Promise(setImmediate).then(() => this.#send());
    return this.#waiting.length < maxWaiting ? undefined : this.#room();
  }

  /** Resolves when Redis has them all. @throws the reason why it has not */
  async sent(): Promise<void> {
    await this.#sending;
    if (this.#error !== undefined) throw this.#error.error;
  }

  async #room(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onRoom = resolve;
    });
    if (this.#error !== undefined) throw this.#error.error;
  }

  async #send(): Promise<void> {
    try {
      for (let waitMs = 5, since = performance.now(); this.#waiting.length > 0; ) {
        const taken = await this.#call();
        if (taken > 0) [waitMs, since] = [5, performance.now()];
        else if (this.#target.isGivenUp()) throw new Error('the request was given up');
        else if (performance.now() - since > this.#target.stallMs) throw new Error('the requester has stopped reading');
        else await pause(waitMs, { ref: false });
        if (taken === 0) waitMs = Math.min(waitMs * 2, 100);
      }
    } catch (error) {
      this.#error = { error };
    }
    this.#sending = undefined;
    this.#onRoom?.();
  }

  /** Sends as many as there is room for, and gets the requester's progress. Resolves to how many were sent. */
  async #call(): Promise<number> {
    const { keys, correlationId, stallMs, isGivenUp } = this.#target;
    const room = Math.min(maxWaiting, replyWindow - (this.#first - this.#consumed));
    const frames = this.#waiting.slice(0, room);
    const call = { correlationId, author: this.#author, frames };
    const budget = { until: performance.now() + stallMs, isGivenUp };
    const consumed = await retryUntil(budget, () => sendReplyItems(this.#connection.commands, keys, call));
    this.#isRequesterGone = consumed === undefined;
    const taken = this.#isRequesterGone ? this.#waiting.length : frames.length;
    this.#waiting.splice(0, taken);
    this.#first += taken;
    // It never decreases, and is not beyond what was sent.
    if (consumed !== undefined && consumed > this.#consumed) this.#consumed = Math.min(consumed, this.#first);
    if (taken > 0) {
      this.#target.onTaken();
      this.#onRoom?.();
    }
    return taken;
  }
}
