import { randomUUID } from 'node:crypto';
import { DeadlineExceededError } from '@millrace/core';
import { Lifecycle, type Service } from '@millrace/delivery';
import type { WritePacket } from '@nestjs/microservices';
import type { Millrace } from './millrace.js';

type Listener = (packet: WritePacket) => void;

/** Somebody who waits for replies. */
interface Waiting {
  readonly listen: Listener;
  timer: NodeJS.Timeout;
  /** The number of the reply that is next. */
  next: number;
  /** Replies that came before one that was sent earlier. */
  readonly early: Map<number, NumberedReply>;
}

/** A reply as it travels: numbered from 0, since a redelivery may put one behind another. */
export type NumberedReply = WritePacket & { readonly id: string; readonly n: number };

/** A client's own queue for replies, so that a reply can only come to the one who asked. */
export class ReplyInbox implements Service {
  readonly queue = `replies.${randomUUID()}`;
  readonly #millrace: Millrace;
  readonly #timeoutMs: number;
  readonly #lifecycle = new Lifecycle();
  readonly #waiting = new Map<string, Waiting>();
  readonly #consumer: Service;

  constructor(millrace: Millrace, timeoutMs: number) {
    this.#millrace = millrace;
    this.#timeoutMs = timeoutMs;
    this.#consumer = millrace.broker.consumer({
      queue: this.queue,
      name: 'replies',
      concurrency: 100,
      retry: false,
      handler: (reply) => this.#deliver(reply as NumberedReply),
    });
  }

  start(): Promise<void> {
    return this.#lifecycle.start(async () => {
      await this.#millrace.broker.declareQueue({ name: this.queue, autoDelete: true, idleExpiryMs: 60_000 });
      await this.#consumer.start();
    });
  }

  /** Whoever still waits is told that nothing will come. */
  stop(): Promise<void> {
    return this.#lifecycle.stop(async () => {
      for (const id of [...this.#waiting.keys()]) this.fail(id, new Error('the client was closed'));
      await this.#consumer.stop({ deadlineMs: 1000 });
    });
  }

  /** Waits for the replies to a request. Answers what ends the waiting: true when the last reply had not come. */
  expect(id: string, listen: Listener): () => boolean {
    this.#waiting.set(id, { listen, timer: this.#timer(id), next: 0, early: new Map() });
    return () => this.#forget(id);
  }

  fail(id: string, err: unknown): void {
    const waiting = this.#waiting.get(id);
    if (this.#forget(id)) waiting?.listen({ err });
  }

  #deliver({ id, n, ...packet }: NumberedReply): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined || n < waiting.next) return;
    waiting.early.set(n, { id, n, ...packet });
    for (;;) {
      const reply = waiting.early.get(waiting.next);
      if (reply === undefined) return;
      waiting.early.delete(waiting.next++);
      this.#tell(id, waiting, reply);
    }
  }

  #tell(id: string, waiting: Waiting, { err, response, isDisposed }: NumberedReply): void {
    if (isDisposed === true || err !== undefined) this.#forget(id);
    else {
      clearTimeout(waiting.timer);
      waiting.timer = this.#timer(id);
    }
    waiting.listen({ err, response, ...(isDisposed === undefined ? {} : { isDisposed }) });
  }

  #timer(id: string): NodeJS.Timeout {
    const error = new DeadlineExceededError(`request ${id}`, this.#timeoutMs);
    return setTimeout(() => this.fail(id, error), this.#timeoutMs);
  }

  #forget(id: string): boolean {
    clearTimeout(this.#waiting.get(id)?.timer);
    return this.#waiting.delete(id);
  }
}
