import { describeRemotely, isInstance, sendableProperties } from '@millrace/core';
import { type ConsumerInput, type MessageContext, topicMatches } from '@millrace/queue';
import { type MessageHandler, RpcException, type WritePacket } from '@nestjs/microservices';
import type { Observable } from 'rxjs';
import type { Millrace } from '../module/millrace.js';
import type { ConsumerPlan } from '../plans/consumer-plan.js';
import { unwrap } from './envelope.js';
import { ReplyStream } from './reply-stream.js';
import { MillraceContext } from './rpc-context.js';
import { requestsExchange, requestsQueue } from './rpc-names.js';
import type { MillraceServerOptions } from './transport-options.js';

/** The methods of Nest's `Server` that are used. */
export interface RequestHost {
  observe(value: unknown): Observable<unknown>;
  around(context: MillraceContext, work: () => Promise<void>): Promise<void>;
}

/** The reply of Nest's own transports to a pattern without a handler. */
const noHandler = 'There is no matching message handler defined in the remote service.';
const internalError = { status: 'error', message: 'Internal server error' };

/**
 * Takes requests, runs their handlers, and sends every value of the result back as a reply, over the queue's request and reply. A request
 * has one attempt: the requester decides what a failure means. When it is cancelled, the handler's stream is unsubscribed.
 */
export class TransportResponder {
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

  /**
   * Replies in Nest's packets to a request in a packet; to others, from `broker.request`, with the bare values, and with errors as
   * errors.
   */
  async *#answer(payload: unknown, delivery: MessageContext): AsyncGenerator<unknown> {
    const packet = unwrap(payload, delivery.routingKey, this.#options.envelope);
    for await (const reply of this.#replies(packet, delivery)) {
      if (reply.kind === 'value') yield packet.isRaw ? reply.value : ({ response: reply.value } satisfies WritePacket);
      else if (packet.isRaw) throw asError(reply.error);
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
    // Nest's handlers return a stream that fails; an error that they throw instead is not sent to the client.
    this.#host.around(context, work).catch(() => replies.fail(internalError));
    return replies;
  }

  /** The handler of the pattern itself, else of the first matching pattern with wildcards. */
  #handlerFor(route: string): MessageHandler | undefined {
    const exact = this.#handlers.get(route);
    if (exact !== undefined) return exact;
    for (const [pattern, handler] of this.#handlers) if (topicMatches(pattern, route)) return handler;
    return undefined;
  }
}

/** An error as its requester gets it. An object that is not an error is sent as it is, as with `RpcException`. */
function sendable(error: unknown): unknown {
  if (typeof error !== 'object' || error === null) return error;
  return isInstance(error, Error) ? describeRemotely(error) : sendableProperties(error);
}

/** The same for requesters that get errors as errors: Nest's filters have taken the object out of its exception. */
function asError(error: unknown): unknown {
  if (typeof error !== 'object' || error === null || isInstance(error, Error)) return error;
  return new RpcException(error);
}
