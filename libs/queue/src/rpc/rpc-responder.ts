import {
  type Codec,
  DeadLetter,
  describeRemotely,
  InvalidMessageError,
  messageOf,
  TopologyNotFoundError,
} from '@millrace/core';
import { isGenerator, type MillraceEvents } from '@millrace/delivery';
import type { RedisConnection } from '@millrace/redis';
import type { Entries } from '../model/entry.js';
import type { StoredProperties } from '../model/message-frame.js';
import { encodeReply, type Reply } from '../model/reply-frame.js';
import type { ReplyTarget } from '../model/reply-target.js';
import type { Forwarder } from '../publishing/forwarder.js';
import { type ReplyKeys, replyKeys } from '../store/keys.js';
import { sendReply } from '../store/replies.js';
import { ReplyItems } from './reply-items.js';
import { defaultReplyWaitMs, retryUntil } from './retry-until.js';

/** What a reply needs to know of its request. */
export interface Answerable {
  readonly properties: StoredProperties;
  /** Aborted when the request is cancelled, or times out. */
  readonly signal: AbortSignal;
  /** Moves the deadline of its handler. */
  extend?(): void;
}

/**
 * Why a reply was not sent. `requester-gone`: no requester waits for it. `replyTo` names a queue that is not allowed (`not-allowed`), does not
 * exist (`queue-missing`), or is full and refuses it (`queue-full`).
 */
export type DroppedReply = MillraceEvents['reply-dropped'][0]['why'];

/**
 * Sends the result of a request's handler, before the request is acknowledged. A reply is repeated until Redis has
 * confirmed it: after a lost confirmation it is stored twice, and the requester uses it once.
 */
export class RpcResponder {
  readonly #connection: RedisConnection;
  readonly #forwarder: Forwarder;
  readonly #codec: Codec;
  readonly #entries: Entries;

  constructor(connection: RedisConnection, forwarder: Forwarder, codec: Codec, entries: Entries) {
    this.#connection = connection;
    this.#forwarder = forwarder;
    this.#codec = codec;
    this.#entries = entries;
  }

  /**
   * Sends a handler's result: what it returned, or one after the other what it yields. It ends when the request is cancelled. Resolves to
   * the reason if it was not sent.
   */
  async answer(target: ReplyTarget, request: Answerable, result: unknown): Promise<DroppedReply | undefined> {
    const { correlationId = '' } = request.properties;
    if (target.kind === 'refused') return 'not-allowed';
    if (target.kind === 'queue') return this.#toQueue(target.queue, correlationId, result);
    const keys = replyKeys(this.#connection.prefix, target.secret);
    if (isAsyncIterable(result) || isGenerator(result)) return this.#stream(keys, correlationId, request, result);
    return this.#send(keys, request, this.#frame('result', correlationId, 0, result));
  }

  /** Sends the error of a request that failed. A queue gets none: a retry may succeed. */
  async fail(target: ReplyTarget, properties: StoredProperties, error: unknown): Promise<DroppedReply | undefined> {
    if (target.kind !== 'stream') return undefined;
    const { correlationId = '' } = properties;
    const body = JSON.stringify(describeRemotely(error));
    const frame = encodeReply({ kind: 'error', correlationId, sequence: 0, codecId: 1, body });
    return this.#send(replyKeys(this.#connection.prefix, target.secret), { properties }, frame);
  }

  async #stream(
    keys: ReplyKeys,
    correlationId: string,
    request: Answerable,
    values: AsyncIterable<unknown> | Iterable<unknown>,
  ): Promise<DroppedReply | undefined> {
    const { signal, properties } = request;
    const stallMs = properties.expirationMs ?? defaultReplyWaitMs;
    const isGivenUp = () => signal.aborted;
    // The requester's timeout is per item, not for all of them: so is the deadline of the handler.
    const onTaken = () => request.extend?.();
    const items = new ReplyItems(this.#connection, { keys, correlationId, stallMs, isGivenUp, onTaken });
    let sequence = 0;
    try {
      for await (const value of values) {
        await items.add(this.#frame('item', correlationId, sequence++, value));
        if (signal.aborted) throw signal.reason;
        if (items.isRequesterGone) return 'requester-gone';
      }
      await items.add(this.#frame('end', correlationId, sequence, null));
    } catch (thrown) {
      // The error is sent after this: what was yielded before it must arrive before it.
      await items.sent().catch(ignore);
      throw thrown;
    }
    await items.sent();
    return items.isRequesterGone ? 'requester-gone' : undefined;
  }

  async #send(
    keys: ReplyKeys,
    request: Pick<Answerable, 'properties'> & Partial<Answerable>,
    frame: Buffer,
  ): Promise<DroppedReply | undefined> {
    const until = performance.now() + (request.properties.expirationMs ?? defaultReplyWaitMs);
    // The signal is only read after a failure: creating one is expensive.
    const isGivenUp = () => request.signal?.aborted === true;
    const isSent = await retryUntil({ until, isGivenUp }, () => sendReply(this.#connection.commands, keys, frame));
    return isSent ? undefined : 'requester-gone';
  }

  #frame(kind: Reply['kind'], correlationId: string, sequence: number, value: unknown): Buffer {
    return encodeReply({ kind, correlationId, sequence, codecId: this.#codec.id, body: this.#encode(value) });
  }

  /** @throws {DeadLetter} it cannot be encoded: the handler is done, and a retry would give the same result */
  #encode(value: unknown): Uint8Array | string {
    try {
      return this.#codec.encode(value === undefined ? null : value);
    } catch (thrown) {
      const why = `the reply cannot be encoded as ${this.#codec.name}: ${messageOf(thrown)}`;
      const cause = new InvalidMessageError(`${why}.`, { cause: thrown });
      throw new DeadLetter(why, { cause });
    }
  }

  /** As in AMQP: the reply is an ordinary message, of type `result`. A retry of its handler would meet the same queue: it is dropped. */
  async #toQueue(queue: string, correlationId: string, value: unknown): Promise<DroppedReply | undefined> {
    const body = this.#encode(value);
    const properties = { correlationId, type: 'result' };
    const about = { priority: 0, codecId: this.#codec.id, timestamp: Date.now(), headers: {} };
    const message = { ...about, exchange: '', routingKey: queue, properties, body };
    try {
      const receipt = await this.#forwarder.forward({ entry: this.#entries.next(), message, toQueue: queue });
      return receipt.refused.some(({ isDeadLettered }) => !isDeadLettered) ? 'queue-full' : undefined;
    } catch (error) {
      if (error instanceof TopologyNotFoundError) return 'queue-missing';
      throw error;
    }
  }
}

/** The caller throws an error that came first. */
function ignore(): void {}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
