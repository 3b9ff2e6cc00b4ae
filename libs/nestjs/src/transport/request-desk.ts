import { describeRemotely, isInstance, remoteDetails, sendableProperties } from '@millrace/core';
import { type ConsumerInput, type MessageContext, topicMatches } from '@millrace/queue';
import type { MessageHandler, WritePacket } from '@nestjs/microservices';
import type { Observable } from 'rxjs';
import type { Millrace } from '../module/millrace.js';
import type { ConsumerPlan } from '../plans/consumer-plan.js';
import { unwrap } from './envelope.js';
import { ReplyStream } from './reply-stream.js';
import { MillraceContext } from './rpc-context.js';
import { requestsExchange, requestsQueue } from './rpc-names.js';
import type { MillraceServerOptions } from './transport-options.js';

/** What Nest's `Server` does for us. */
export interface RequestHost {
  observe(value: unknown): Observable<unknown>;
  around(context: MillraceContext, work: () => Promise<void>): Promise<void>;
}

/** What Nest's own transports answer for a pattern without a handler. */
const noHandler = 'There is no matching message handler defined in the remote service.';
const internalError = { status: 'error', message: 'Internal server error' };

/**
 * Takes requests, has them answered, and sends every value of the answer back, over the queue's own request and reply. A
 * request is tried once: the requester decides what a failure means. When it is cancelled, the handler's stream is unsubscribed.
 */
export class RequestDesk {
  readonly #millrace: Millrace;
  readonly #options: MillraceServerOptions;
  readonly #handlers: ReadonlyMap<string, MessageHandler>;
  readonly #host: RequestHost;

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
  }

  /** The consumer of its requests. */
  get plan(): ConsumerPlan {
    const millrace = this.#millrace;
    const {
      queue: service,
      exchange: events,
      concurrency,
      handlerTimeoutMs,
      abortGraceMs,
      replyQueues,
    } = this.#options;
    const queue = requestsQueue(service);
    const exchange = requestsExchange(events);
    const patterns = [...this.#handlers.keys()];
    const input: ConsumerInput = {
      queue,
      name: `requests to ${service}`,
      concurrency,
      retry: false,
      handler: (payload, context) => this.#answer(payload, context),
      ...(handlerTimeoutMs === undefined ? {} : { handlerTimeoutMs }),
      ...(abortGraceMs === undefined ? {} : { abortGraceMs }),
      ...(replyQueues === undefined ? {} : { replyQueues }),
    };
    return {
      label: patterns.join(', '),
      source: `queue "${queue}"`,
      millrace,
      topology: {
        exchanges: [{ name: exchange, type: 'topic' }],
        bindings: patterns.map((routingKey) => ({ exchange, queue, routingKey })),
      },
      queue,
      ownsQueue: true,
      make: () => millrace.broker.consumer(input),
    };
  }

  /** Nest's packets for who sent one; for others, who ask with `broker.request`, the bare values, and errors as errors. */
  async *#answer(payload: unknown, delivery: MessageContext): AsyncGenerator<unknown> {
    const packet = unwrap(payload, delivery.routingKey, this.#options.envelope);
    for await (const reply of this.#replies(packet, delivery)) {
      if (reply.kind === 'value') yield packet.isRaw ? reply.value : ({ response: reply.value } satisfies WritePacket);
      else if (packet.isRaw) throw marked(reply.error);
      else yield { err: sendable(reply.error) } satisfies WritePacket;
    }
  }

  #replies({ pattern, data, metadata }: ReturnType<typeof unwrap>, delivery: MessageContext): ReplyStream {
    const replies = new ReplyStream();
    const handler = this.#handlerFor(pattern);
    if (handler === undefined) {
      replies.fail(noHandler);
      return replies;
    }
    const context = new MillraceContext(delivery, pattern, metadata, false);
    delivery.signal.addEventListener('abort', () => replies.stop(), { once: true });
    const work = async (): Promise<void> => replies.follow(this.#host.observe(await handler(data, context)));
    // Nest's handlers return a stream that fails; what they throw all the same is not sent to the client.
    this.#host.around(context, work).catch(() => replies.fail(internalError));
    return replies;
  }

  /** The pattern itself, else the first one with wildcards that matches. */
  #handlerFor(route: string): MessageHandler | undefined {
    const exact = this.#handlers.get(route);
    if (exact !== undefined) return exact;
    for (const [pattern, handler] of this.#handlers) if (topicMatches(pattern, route)) return handler;
    return undefined;
  }
}

/** An error as its requester gets it. An object that is no error is what the application wants to be sent, as with `RpcException`. */
function sendable(error: unknown): unknown {
  if (typeof error !== 'object' || error === null) return error;
  return isInstance(error, Error) ? describeRemotely(error) : sendableProperties(error);
}

/** The same for who gets errors as errors: the object is their details. */
function marked(error: unknown): unknown {
  if (typeof error !== 'object' || error === null || isInstance(error, Error)) return error;
  return { ...error, [remoteDetails]: error };
}
