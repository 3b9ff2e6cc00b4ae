import { randomBytes } from 'node:crypto';
import { startTimer, stopTimer, type Timer } from '@millrace/core';
import { callError, maxBlockMs, type RedisClient, type RedisConnection } from '@millrace/redis';
import { replyAddress } from '../model/reply-target.js';
import { type ReplyKeys, replyKeys } from '../store/keys.js';
import {
  forgetReplies,
  forgetRequester,
  keepReplyStream,
  nextReplies,
  type ReceivedReplies,
  replyTtlMs,
} from '../store/replies.js';
import { retryUntil } from './retry-until.js';

/** While requests wait, the stream is checked this often: a lost one is noticed, and its time to live is extended. */
const lookEveryMs = 1000;
/** The ids of Redis's clock have 13 digits before the dash. With longer ones another client can use up all that are left. */
const mostDigitsOfTime = 15;

/** The events of a reply stream, and what it asks its client. */
export interface ReplyStreamListener {
  /** Whether requests wait for replies. */
  isAwaited(): boolean;
  /** Another client deleted the stream, or spoiled it: replies may be lost. It was created again. */
  lost(): void;
}

/**
 * The stream that receives the replies to all requests of a process. The process creates it, and keeps it while requests wait; a
 * responder can only append to an existing one. Its name is a secret of 128 random bits, known to those who get a request: knowing
 * it is the right to reply. It is read, not popped: a reply whose connection was cut is read again.
 */
export class ReplyStream {
  readonly #connection: RedisConnection;
  readonly #listener: ReplyStreamListener;
  readonly #keys: ReplyKeys;
  /** The `replyTo` of requests. */
  readonly address: string;
  #last = '0-0';
  #isSpoiled = false;
  /** When Redis last confirmed that it is kept. */
  #keptAt = Number.NEGATIVE_INFINITY;
  #making: Promise<void> | undefined;
  #timer: Timer | undefined;

  constructor(connection: RedisConnection, listener: ReplyStreamListener) {
    this.#connection = connection;
    this.#listener = listener;
    const secret = randomBytes(16).toString('base64url');
    this.#keys = replyKeys(connection.prefix, secret);
    this.address = replyAddress(secret);
  }

  get keys(): ReplyKeys {
    return this.#keys;
  }

  /**
   * Called when a request waits, before it is published. Returns a promise when the stream must be created first: at the first request,
   * and when no request has waited for so long that it may have expired. @throws {UnavailableError}
   */
  ready(): Promise<void> | undefined {
    const sinceMs = performance.now() - this.#keptAt;
    const isWatched = this.#timer !== undefined;
    if (!isWatched) this.#lookLater();
    if (sinceMs > replyTtlMs / 2) this.#making ??= this.#make();
    // Sent along with the request: it costs no round trip.
    else if (!isWatched && sinceMs > lookEveryMs) void this.#look();
    return this.#making;
  }

  /** Waits for replies. */
  async next(client: RedisClient): Promise<readonly ReceivedReplies[]> {
    if (this.#isSpoiled) await this.#makeAnew();
    const next = await nextReplies(client, this.#keys, this.#last, maxBlockMs);
    this.#isSpoiled = next === undefined || isBeyondTime(next.last);
    if (next === undefined || next.last === this.#last) return [];
    this.#last = next.last;
    if (!this.#isSpoiled) void forgetReplies(this.#connection.commands, this.#keys, next.last).catch(ignore);
    return next.replies;
  }

  /** Deletes the stream, unless Redis is unreachable: then it expires. */
  async remove(): Promise<void> {
    stopTimer(this.#timer);
    const wasMade = this.#keptAt > 0;
    if (wasMade && this.#connection.isUp) await forgetRequester(this.#connection.commands, this.#keys).catch(ignore);
  }

  async #make(): Promise<void> {
    const budget = { until: Number.POSITIVE_INFINITY, isGivenUp: () => !this.#listener.isAwaited() };
    try {
      await retryUntil(budget, () => this.#keep());
    } catch (error) {
      throw callError('create the stream of replies', error);
    } finally {
      this.#making = undefined;
    }
  }

  async #keep(): Promise<boolean> {
    const wasThere = await keepReplyStream(this.#connection.commands, this.#keys, this.#last);
    this.#keptAt = performance.now();
    return wasThere;
  }

  async #makeAnew(): Promise<void> {
    await keepReplyStream(this.#connection.commands, this.#keys, '0-0', { isReplaced: true });
    this.#last = '0-0';
    this.#isSpoiled = false;
    this.#keptAt = performance.now();
    this.#listener.lost();
  }

  #lookLater(): void {
    this.#timer = startTimer(this.#look, lookEveryMs);
    this.#timer.unref();
  }

  readonly #look = async (): Promise<void> => {
    stopTimer(this.#timer);
    this.#timer = undefined;
    if (!this.#listener.isAwaited()) return;
    this.#lookLater();
    // While Redis is unreachable its state is unknown.
    const wasThere = await this.#keep().catch(() => true);
    if (!wasThere) this.#listener.lost();
  };
}

function isBeyondTime(id: string): boolean {
  return id.indexOf('-') > mostDigitsOfTime;
}

function ignore(): void {}
