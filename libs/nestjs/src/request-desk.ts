import { Drop, TopologyNotFoundError } from '@millrace/core';
import type { Service, StopOptions } from '@millrace/delivery';
import { type MessageContext, topicMatches } from '@millrace/queue';
import type { MessageHandler, WritePacket } from '@nestjs/microservices';
import { fromEvent, merge, type Observable, type Subscription, takeUntil } from 'rxjs';
import { Cancellations } from './cancellations.js';
import { unwrap } from './envelope.js';
import type { Millrace } from './millrace.js';
import type { NumberedReply } from './reply-inbox.js';
import { MillraceContext } from './rpc-context.js';
import { requestsExchange, requestsQueue } from './rpc-names.js';
import type { MillraceServerOptions } from './transport-options.js';

/** What Nest's `Server` does for us. */
export interface RequestHost {
  /** Sends each value of a stream as a reply, then that there are no more. */
  respond(stream: Observable<unknown>, respond: (packet: WritePacket) => Promise<unknown>): Subscription;
  observe(value: unknown): Observable<unknown>;
  around(context: MillraceContext, work: (end: () => void) => Promise<void>): Promise<void>;
}

/** What Nest's own transports answer when nobody handles a pattern. */
const noHandler = 'There is no matching message handler defined in the remote service.';

/**
 * Takes requests, has them answered, and sends every value of the answer to the queue of the one who asked. A request is tried
 * once: whoever asked decides what a failure means. When it is cancelled, the handler's stream is unsubscribed.
 */
export class RequestDesk implements Service {
  readonly #millrace: Millrace;
  readonly #options: MillraceServerOptions;
  readonly #handlers: ReadonlyMap<string, MessageHandler>;
  readonly #host: RequestHost;
  readonly #cancellations: Cancellations;
  readonly #consumer: Service;

  constructor(
    millrace: Millrace,
    options: MillraceServerOptions,
    handlers: ReadonlyMap<string, MessageHandler>,
    host: RequestHost,
  ) {
    this.#millrace = millrace;
    this.#options = options;
    this.#handlers = handlers;
    this.#host = host;
    this.#cancellations = new Cancellations(millrace, options.exchange);
    this.#consumer = millrace.broker.consumer({
      queue: requestsQueue(options.queue),
      name: `requests to ${options.queue}`,
      concurrency: options.concurrency,
      retry: false,
      handler: (payload, context) => this.#handle(payload, context),
      ...(options.handlerTimeoutMs === undefined ? {} : { handlerTimeoutMs: options.handlerTimeoutMs }),
    });
  }

  async start(): Promise<void> {
    const queue = requestsQueue(this.#options.queue);
    const exchange = requestsExchange(this.#options.exchange);
    const bindings = [...this.#handlers.keys()].map((routingKey) => ({ exchange, queue, routingKey }));
    const exchanges = [{ name: exchange, type: 'topic' as const }];
    await this.#millrace.broker.declare({ exchanges, queues: [{ name: queue }], bindings });
    await this.#cancellations.start();
    await this.#consumer.start();
  }

  async stop(options?: StopOptions): Promise<void> {
    await this.#consumer.stop(options);
    await this.#cancellations.stop();
  }

  async #handle(payload: unknown, delivery: MessageContext): Promise<void> {
    const { replyTo, correlationId } = delivery.properties;
    if (replyTo === undefined || correlationId === undefined) {
      throw new Drop('a request without replyTo and correlationId cannot be answered');
    }
    const cancelled = this.#cancellations.signalOf(correlationId);
    let sent = 0;
    const reply = (packet: WritePacket): Promise<unknown> =>
      this.#reply(replyTo, correlationId, { n: sent++, ...packet });
    try {
      if (!cancelled.aborted) await this.#answer(payload, delivery, cancelled, reply);
    } catch (error) {
      await reply({ err: { status: 'error', message: 'Internal server error' }, isDisposed: true });
      throw new Drop(error instanceof Error ? error.message : String(error));
    } finally {
      this.#cancellations.forget(correlationId);
    }
  }

  async #answer(
    payload: unknown,
    delivery: MessageContext,
    cancelled: AbortSignal,
    reply: (packet: WritePacket) => Promise<unknown>,
  ): Promise<void> {
    const packet = unwrap(payload, delivery.routingKey, this.#options.envelope);
    const handler = this.#handlerFor(packet.pattern);
    if (handler === undefined) return void (await reply({ err: noHandler, isDisposed: true }));
    const isGone = new AbortController();
    const context = new MillraceContext(delivery, packet.pattern, packet.metadata, false);
    cancelled.addEventListener('abort', () => delivery.abandon(new Error('the request was cancelled')), { once: true });
    const ends = [cancelled, delivery.signal, isGone.signal].map((signal) => fromEvent(signal, 'abort'));
    await this.#host.around(context, async (end) => {
      const stream = this.#host.observe(await handler(packet.data, context)).pipe(takeUntil(merge(...ends)));
      await this.#send(stream, isGone, reply).finally(end);
    });
  }

  /** Resolves when the last value of the stream was sent, or the one who asked is gone. */
  #send(
    stream: Observable<unknown>,
    isGone: AbortController,
    reply: (packet: WritePacket) => Promise<unknown>,
  ): Promise<void> {
    return new Promise<void>((resolve) => {
      this.#host.respond(stream, async (packet) => {
        try {
          if (!isGone.signal.aborted) await reply(packet);
        } catch (error) {
          isGone.abort(error);
        }
        if (packet.isDisposed === true) resolve();
      });
    });
  }

  async #reply(queue: string, correlationId: string, packet: WritePacket & { readonly n: number }): Promise<void> {
    try {
      const reply: NumberedReply = { id: correlationId, ...packet };
      await this.#millrace.broker.sendToQueue(queue, reply, { correlationId });
    } catch (error) {
      // The client went away, and its queue with it: nobody waits for the answer.
      if (!(error instanceof TopologyNotFoundError)) throw error;
      throw new Drop(`the queue of the one who asked is gone: ${queue}`);
    }
  }

  /** The pattern itself, else the first one with wildcards that matches. */
  #handlerFor(route: string): MessageHandler | undefined {
    const exact = this.#handlers.get(route);
    if (exact !== undefined) return exact;
    for (const [pattern, handler] of this.#handlers) if (topicMatches(pattern, route)) return handler;
    return undefined;
  }
}
