import { Drop, describeFailure, type HeadersInput, isHeadersObject, isInstance, RetryLater } from '@millrace/core';
import type { DeliveryContext, Middleware } from '@millrace/delivery';
import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api';
import { attributesOf, type Delivered } from './span-attributes.js';

/** The part of @opentelemetry/api that is used; it is an optional peer dependency, so it is passed in, not imported. */
export type TraceApi = Pick<
  typeof import('@opentelemetry/api'),
  'context' | 'propagation' | 'trace' | 'SpanKind' | 'SpanStatusCode'
>;

/** The destination of a message, and the operation. */
export interface Sent {
  /** A topic, an exchange, or the queue it is sent to by name. */
  readonly destination: string;
  /** `send` to a topic or a queue, `publish` to an exchange. */
  readonly operation: 'send' | 'publish';
  /** Attributes beyond the conventions. */
  readonly attributes?: Attributes | undefined;
}

/**
 * Spans by OpenTelemetry's conventions for messaging, and the trace context in the messages' headers (W3C `traceparent`, or what
 * the application's propagator writes). Without a registered SDK the API does nothing, and headers stay as they are.
 */
export class Tracing {
  readonly #api: TraceApi;
  readonly #tracer: Tracer;

  constructor(api: TraceApi) {
    this.#api = api;
    this.#tracer = api.trace.getTracer('@millrace/metrics');
  }

  /** Sends messages within a PRODUCER span; `send` receives a function that adds the trace context to headers. */
  send<T>(
    sent: Sent,
    send: (withContext: (headers: HeadersInput | undefined) => HeadersInput | undefined) => Promise<T>,
  ): Promise<T> {
    const { destination, operation, attributes } = sent;
    const options = {
      kind: this.#api.SpanKind.PRODUCER,
      attributes: {
        'messaging.system': 'millrace',
        'messaging.operation.name': operation,
        'messaging.operation.type': 'send',
        'messaging.destination.name': destination,
        ...attributes,
      },
    };
    const parent = this.#api.context.active();
    const span = this.#tracer.startSpan(`${operation} ${destination}`, options, parent);
    const within = this.#api.trace.setSpan(parent, span);
    return this.#run(span, within, () => send((headers) => this.#inject(within, headers)));
  }

  /** Runs a handler within a CONSUMER span, child of the span that sent the message. */
  readonly middleware: Middleware<DeliveryContext> = (delivered, next) => {
    const attributes = attributesOf(delivered);
    const parent = this.#extract(delivered);
    const options = { kind: this.#api.SpanKind.CONSUMER, attributes };
    const span = this.#tracer.startSpan(`process ${attributes['messaging.destination.name']}`, options, parent);
    return this.#run(span, this.#api.trace.setSpan(parent, span), next);
  };

  /** Runs a batch handler within one CONSUMER span, with a link to each span that sent one of the messages. */
  batch<T>(context: Delivered, messages: readonly Delivered[], run: () => Promise<T>): Promise<T> {
    const attributes: Attributes = {
      ...attributesOf(context, { isOneOfMany: true }),
      'messaging.batch.message_count': messages.length,
    };
    const links = messages.flatMap((message) => {
      const sender = this.#api.trace.getSpanContext(this.#extract(message));
      return sender === undefined ? [] : [{ context: sender }];
    });
    const kind = this.#api.SpanKind.CONSUMER;
    const parent = this.#api.context.active();
    const name = `process ${attributes['messaging.destination.name']}`;
    const span = this.#tracer.startSpan(name, { kind, attributes, links }, parent);
    return this.#run(span, this.#api.trace.setSpan(parent, span), run);
  }

  async #run<T>(span: Span, within: Context, run: () => Promise<T>): Promise<T> {
    try {
      return await this.#api.context.with(within, run);
    } catch (error) {
      // These two are decisions about a message, not failures.
      if (!(isInstance(error, RetryLater) || isInstance(error, Drop))) this.#fail(span, error);
      throw error;
    } finally {
      span.end();
    }
  }

  #fail(span: Span, error: unknown): void {
    const { name, message } = describeFailure(error);
    span.setAttribute('error.type', isInstance(error, Error) ? name : '_OTHER');
    if (isInstance(error, Error)) span.recordException(error);
    span.setStatus({ code: this.#api.SpanStatusCode.ERROR, message });
  }

  #inject(within: Context, headers: HeadersInput | undefined): HeadersInput | undefined {
    // Anything but an object is refused where it is sent; spread, it would look like no headers.
    if (headers !== undefined && !isHeadersObject(headers)) return headers;
    const carried: Record<string, string> = {};
    this.#api.propagation.inject(within, carried);
    return Object.keys(carried).length === 0 ? headers : { ...headers, ...carried };
  }

  #extract({ headers = {} }: Delivered): Context {
    return this.#api.propagation.extract(this.#api.context.active(), headers, {
      keys: (carrier) => Object.keys(carrier),
      get: (carrier, key) => {
        const value = carrier[key];
        return typeof value === 'string' ? value : undefined;
      },
    });
  }
}
