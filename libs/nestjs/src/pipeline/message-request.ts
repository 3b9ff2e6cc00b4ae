import type { DeliveryContext } from '@millrace/delivery';
import { type ContextId, ContextIdFactory, type ModuleRef } from '@nestjs/core';

/**
 * What `@Inject(REQUEST)` gives in a request-scoped provider while a message is handled. It has the two methods of
 * microservices' `RequestContext`, and `headers`, which a strategy for durable providers usually looks at.
 */
export class MessageRequest<P = unknown, C extends DeliveryContext = DeliveryContext> {
  constructor(
    /** Decoded and validated. */
    readonly payload: P,
    /** What is known of the message beside its payload. */
    readonly context: C,
  ) {}

  /** The message's headers; empty where the context has none, as that of a batch. */
  get headers(): Readonly<Record<string, unknown>> {
    return 'headers' in this.context && isRecord(this.context.headers) ? this.context.headers : {};
  }

  /** The payload, as Nest's RPC arguments give it. */
  getData(): P {
    return this.payload;
  }

  /** The context, as Nest's RPC arguments give it. */
  getContext(): C {
    return this.context;
  }
}

const contextIds = new WeakMap<DeliveryContext, ContextId>();

/**
 * The one context id of a delivery: request-scoped providers are new for each message, and shared by all handlers and
 * enhancers that work on it. Durable providers live as long as the application's ContextIdStrategy says.
 */
export function contextIdOf(
  moduleRef: ModuleRef,
  payload: unknown,
  context: DeliveryContext,
  isDurable: boolean,
): ContextId {
  const known = contextIds.get(context);
  if (known !== undefined) return known;
  const request = new MessageRequest(payload, context);
  const contextId = ContextIdFactory.getByRequest(request);
  // As Nest's own transports do: durable providers get the strategy's payload, since they outlive the request.
  moduleRef.registerRequestByContextId(
    isDurable ? contextId.payload : Object.assign(request, contextId.payload),
    contextId,
  );
  contextIds.set(context, contextId);
  return contextId;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
