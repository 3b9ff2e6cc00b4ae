import { setTimeout as pause } from 'node:timers/promises';
import type { Codec } from '@millrace/core';
import type { RedisConnection } from '@millrace/redis';
import type { MessageContext } from '../consuming/message-context.js';
import type { MessageIds } from '../model/message-id.js';
import { describeRemotely } from '../model/remote-failure.js';
import { encodeReply, type Reply, requesterOf } from '../model/reply-frame.js';
import type { Forwarder } from '../publishing/forwarder.js';
import { type ReplyKeys, replyKeys } from '../store/keys.js';
import { sendReply } from '../store/replies.js';

/** Sends back what the handler of a request answered, before the request is acknowledged. */
export class RpcResponder {
  readonly #connection: RedisConnection;
  readonly #forwarder: Forwarder;
  readonly #codec: Codec;
  readonly #ids: MessageIds;

  constructor(connection: RedisConnection, forwarder: Forwarder, codec: Codec, ids: MessageIds) {
    this.#connection = connection;
    this.#forwarder = forwarder;
    this.#codec = codec;
    this.#ids = ids;
  }

  /** Sends a handler's result: what it answered, or one after the other what it yields. It ends when the request is cancelled. */
  async answer(context: MessageContext, result: unknown): Promise<void> {
    const { replyTo, correlationId = '' } = context.properties;
    if (replyTo === undefined) return;
    const requester = requesterOf(replyTo);
    if (requester === undefined) return this.#toQueue(replyTo, correlationId, result, 'result');
    const keys = replyKeys(this.#connection.prefix, requester);
    if (isAsyncIterable(result)) return this.#stream(keys, correlationId, context, result);
    await this.#send(keys, { kind: 'result', correlationId, sequence: 0, value: result });
  }

  /** Tells the requester that its request failed. */
  async fail(properties: MessageContext['properties'], error: unknown): Promise<void> {
    const { replyTo, correlationId = '' } = properties;
    if (replyTo === undefined) return;
    const requester = requesterOf(replyTo);
    const failure = describeRemotely(error);
    if (requester === undefined) return this.#toQueue(replyTo, correlationId, failure, 'error');
    const frame = encodeReply({ kind: 'error', correlationId, sequence: 0, codecId: 1, body: JSON.stringify(failure) });
    await sendReply(this.#connection.commands, replyKeys(this.#connection.prefix, requester), frame);
  }

  async #stream(
    keys: ReplyKeys,
    correlationId: string,
    { signal }: MessageContext,
    items: AsyncIterable<unknown>,
  ): Promise<void> {
    let sequence = 0;
    for await (const value of items) {
      const item = { kind: 'item', correlationId, sequence: sequence++, value } as const;
      for (let waitMs = 5; !(await this.#send(keys, item)); waitMs = Math.min(waitMs * 2, 100)) {
        await pause(waitMs, undefined, { signal });
      }
      if (signal.aborted) throw signal.reason;
    }
    await this.#send(keys, { kind: 'end', correlationId, sequence, value: null });
  }

  #send(
    keys: ReplyKeys,
    reply: Pick<Reply, 'kind' | 'correlationId' | 'sequence'> & { value: unknown },
  ): Promise<boolean> {
    const body = this.#codec.encode(reply.value === undefined ? null : reply.value);
    const frame = encodeReply({ ...reply, codecId: this.#codec.id, body });
    const item = reply.kind === 'item' ? reply : undefined;
    return sendReply(this.#connection.commands, keys, frame, item);
  }

  /** `replyTo` names a queue, as in AMQP: the reply is a message like any other, of type `result` or `error`. */
  async #toQueue(queue: string, correlationId: string, value: unknown, type: 'result' | 'error'): Promise<void> {
    const body = this.#codec.encode(value === undefined ? null : value);
    const properties = { correlationId, type };
    const about = { priority: 0, codecId: this.#codec.id, timestamp: Date.now(), headers: {} };
    const message = { ...about, exchange: '', routingKey: queue, properties, body };
    await this.#forwarder.forward({ id: this.#ids.next(), message, toQueue: queue });
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
