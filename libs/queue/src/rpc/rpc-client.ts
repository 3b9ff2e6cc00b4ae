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
import { forgetConsumed, type ReceivedReplies, tellConsumed } from '../store/replies.js';
import { insist } from './insistence.js';
import { ReplyStream } from './reply-stream.js';
import { RemoteError, ReplyStreamLostError, RequestTimeoutError, StreamTakenError } from './rpc-errors.js';
import { RpcStream } from './rpc-stream.js';

/** What can be said about a request. */
export interface RequestOptions
  extends Omit<PublishProperties, 'replyTo' | 'correlationId' | 'expirationMs' | 'delayMs' | 'retry'> {
  /**
   * How long to wait for the reply, or for the next one of a stream, in ms; the handler has no longer either. `Infinity`: for
   * ever. Default 30,000.
   */
  readonly timeoutMs?: number | undefined;
  /** Gives the request up: it is cancelled, and its handler's signal aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** What a client needs to send requests. */
export interface RequestSender {
  publish(exchange: string, routingKey: string, body: unknown, properties: PublishProperties): Promise<Receipt>;
  queue(name: string): { cancel(id: string): Promise<unknown> };
}

const defaultTimeoutMs = 30_000;

/**
 * Sends requests and brings each its reply. All replies of a process come on its `ReplyStream`: a queue or channel shared with others
 * there is none. A request is known by a correlation id of 128 random bits, which nobody guesses who has not got the request.
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

  /** @throws {RemoteError | RequestTimeoutError | UnroutableError | WriteError} or what the signal was aborted with */
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
      consumed: (count) => this.#tellConsumed(correlationId, count, timeoutMs),
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
    // Stopped first: that the read under way is cut off is no error then.
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
      // Closed meanwhile: nothing else would end what begins here.
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

  /** What is no reply is reported and left out: the others are waited for. */
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

  /** Sent until Redis has it: a responder that never hears of it would wait for ever. */
  #tellConsumed(correlationId: string, count: number, timeoutMs: number): void {
    const patience = {
      until: performance.now() + timeoutMs,
      isGivenUp: () => !this.#pending.has(correlationId),
    };
    const tell = () => tellConsumed(this.#connection.commands, this.#replies.keys, correlationId, count);
    insist(patience, tell).catch(ignore);
  }

  /** It is no longer waited for. When it did not come to its end it is cancelled. */
  #end(correlationId: string, sent: Promise<Receipt>, isComplete: boolean): void {
    this.#pending.delete(correlationId);
    void forgetConsumed(this.#connection.commands, this.#replies.keys, correlationId).catch(ignore);
    if (isComplete) return;
    // What a queue knew before is another's request.
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
      'Give each request an id of its own, or none.',
  );
}

function ignore(): void {}
