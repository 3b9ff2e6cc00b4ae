import { randomBytes } from 'node:crypto';
import {
  assertNoProblem,
  ClosedError,
  type CodecRegistry,
  InvalidMessageError,
  integerProblem,
  isInstance,
  ShortLivedMap,
  shown,
} from '@millrace/core';
import { type Events, PollLoop } from '@millrace/delivery';
import type { RedisClient, RedisConnection } from '@millrace/redis';
import type { PublishProperties } from '../model/publish-properties.js';
import type { Receipt } from '../model/receipt.js';
import { parseRemoteFailure } from '../model/remote-failure.js';
import { decodeReply } from '../model/reply-frame.js';
import { forgetConsumed, type ReceivedReplies, reportConsumed } from '../store/replies.js';
import { ReplyStream } from './reply-stream.js';
import { retryUntil } from './retry-until.js';
import { RemoteError, ReplyStreamLostError, RequestTimeoutError, StreamTakenError } from './rpc-errors.js';
import { RpcStream } from './rpc-stream.js';

/** The options of a request. */
export interface RequestOptions
  extends Omit<PublishProperties, 'replyTo' | 'correlationId' | 'expirationMs' | 'delayMs' | 'retry'> {
  /**
   * How long to wait for the reply, or for the next one of a stream, in ms; it also limits the handler. `Infinity`: no
   * limit. Default 30,000.
   */
  readonly timeoutMs?: number | undefined;
  /** Aborting it cancels the request, and aborts its handler's signal. */
  readonly signal?: AbortSignal | undefined;
}

/** What a client needs to send requests. */
export interface RequestSender {
  publish(exchange: string, routingKey: string, body: unknown, properties: PublishProperties): Promise<Receipt>;
  queue(name: string): { cancel(id: string): Promise<unknown> };
}

const defaultTimeoutMs = 30_000;

/**
 * Sends requests and resolves them with their replies. All replies of a process come on its `ReplyStream`: it shares no queue or channel
 * with others. A request is identified by a correlation id of 128 random bits, which only those who get the request know.
 */
export class RpcClient {
  readonly #connection: RedisConnection;
  readonly #events: Events;
  readonly #sender: RequestSender;
  readonly #codecs: CodecRegistry;
  readonly #replies: ReplyStream;
  readonly #pending = new ShortLivedMap<string, RpcStream>();
  readonly #loop: PollLoop;
  #client: RedisClient | undefined;
  #starting: Promise<void> | undefined;
  #isClosed = false;

  constructor(connection: RedisConnection, sender: RequestSender, codecs: CodecRegistry, events: Events) {
    this.#connection = connection;
    this.#events = events;
    this.#sender = sender;
    this.#codecs = codecs;
    this.#replies = new ReplyStream(connection, { isAwaited: () => this.#pending.size > 0, lost: () => this.#lost() });
    this.#loop = new PollLoop(
      () => this.#read(),
      (error) => events.emit('background-error', { duty: 'replies to requests', error }),
    );
  }

  /** @throws {RemoteError | RequestTimeoutError | UnroutableError | WriteError} or the signal's reason */
  async request(exchange: string, routingKey: string, body: unknown, options: RequestOptions = {}): Promise<unknown> {
    const stream = this.stream(exchange, routingKey, body, options);
    for await (const value of stream) return value;
    return undefined;
  }

  /** One reply after the other, as the handler yields them. Ending the iteration early cancels the request. */
  stream(exchange: string, routingKey: string, body: unknown, options: RequestOptions = {}): RpcStream {
    if (this.#isClosed) throw new ClosedError('the broker');
    const { timeoutMs = defaultTimeoutMs, signal, ...properties } = options;
    const isBounded = timeoutMs !== Number.POSITIVE_INFINITY;
    const correlationId = randomBytes(16).toString('base64url');
    const subject = `request ${correlationId} to ${exchange === '' ? 'queue' : `exchange "${exchange}", key`} "${routingKey}"`;
    assertNoProblem(
      subject,
      isBounded ? integerProblem('timeoutMs', timeoutMs, { min: 1 }) : undefined,
      signal === undefined || isInstance(signal, AbortSignal)
        ? undefined
        : `signal must be an AbortSignal, got ${shown(signal)}`,
    );
    const stream = new RpcStream({
      timeoutMs,
      signal,
      timedOut: () => new RequestTimeoutError(subject, timeoutMs),
      decode: (reply) => this.#codecs.get(reply.codecId).decode(reply.body),
      failure: (reply) => new RemoteError(parseRemoteFailure(reply.body.toString('utf8'))),
      taken: () => new StreamTakenError(subject),
      lost: () => new ReplyStreamLostError(subject),
      consumed: (count) => this.#reportConsumed(correlationId, count, timeoutMs),
      ended: (isComplete) => this.#end(correlationId, sent, isComplete),
    });
    this.#pending.set(correlationId, stream);
    const sent = this.#send(exchange, routingKey, body, {
      ...properties,
      mandatory: true,
      correlationId,
      replyTo: this.#replies.address,
      expirationMs: isBounded ? timeoutMs : undefined,
    });
    const onSent = (receipt: Receipt): void => {
      if (isRepetition(receipt)) stream.failed(repetition(subject, receipt));
    };
    sent.then(onSent).catch((error: unknown) => stream.failed(error));
    return stream;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const pending of this.#pending.values()) pending.failed(new ClosedError('the broker'));
    if (this.#client === undefined) return;
    // Stopped first: then an interrupted read is not an error.
    const stopped = this.#loop.stop();
    this.#connection.release(this.#client);
    await stopped;
    await this.#replies.remove();
  }

  async #send(exchange: string, routingKey: string, body: unknown, properties: PublishProperties): Promise<Receipt> {
    this.#starting ??= this.#start();
    await this.#starting;
    const isMade = this.#replies.ready();
    if (isMade !== undefined) await isMade;
    return this.#sender.publish(exchange, routingKey, body, properties);
  }

  async #start(): Promise<void> {
    const client = await this.#connection.blocking('replies');
    if (this.#isClosed) {
      // Closed meanwhile: nothing else would end the request.
      this.#connection.release(client);
      throw new ClosedError('the broker');
    }
    this.#client = client;
    await this.#loop.start();
  }

  async #read(): Promise<number> {
    if (this.#client === undefined) return 0;
    for (const received of await this.#replies.next(this.#client)) this.#take(received);
    return 0;
  }

  /** Invalid replies are reported and skipped: the others are still awaited. */
  #take({ author, frames }: ReceivedReplies): void {
    for (const frame of frames) {
      try {
        const reply = decodeReply(frame);
        this.#pending.get(reply.correlationId)?.reply(reply, author);
      } catch (error) {
        this.#events.emit('background-error', { duty: 'read a reply', error });
      }
    }
  }

  #lost(): void {
    for (const pending of this.#pending.values()) pending.lost();
  }

  /** Repeated until Redis has it: otherwise the responder would wait forever. */
  #reportConsumed(correlationId: string, count: number, timeoutMs: number): void {
    const budget = {
      until: performance.now() + timeoutMs,
      isGivenUp: () => !this.#pending.has(correlationId),
    };
    const report = () => reportConsumed(this.#connection.commands, this.#replies.keys, correlationId, count);
    retryUntil(budget, report).catch(ignore);
  }

  /** The request is no longer awaited. If it was not complete it is cancelled. */
  #end(correlationId: string, sent: Promise<Receipt>, isComplete: boolean): void {
    this.#pending.delete(correlationId);
    void forgetConsumed(this.#connection.commands, this.#replies.keys, correlationId).catch(ignore);
    if (isComplete) return;
    // If a queue knew the id before, that message is another request.
    const cancel = async ({ messageId, queues, duplicates }: Receipt): Promise<void> => {
      for (const queue of queues) if (!duplicates.includes(queue)) await this.#sender.queue(queue).cancel(messageId);
    };
    sent.then(cancel).catch(ignore);
  }
}

/** Whether no queue took it as a new message: the handler replies to the requester of the first one. */
function isRepetition({ queues, duplicates }: Receipt): boolean {
  return duplicates.length > 0 && duplicates.length === queues.length;
}

function repetition(subject: string, { messageId, duplicates }: Receipt): InvalidMessageError {
  const queues = duplicates.map((queue) => `"${queue}"`).join(', ');
  return new InvalidMessageError(
    `${subject}: its messageId "${messageId}" was published before to ${queues}, so no reply will come. ` +
      'Give each request a unique id, or none.',
  );
}

function ignore(): void {}
