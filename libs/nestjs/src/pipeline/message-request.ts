import type { DeliveryContext } from '@millrace/delivery';
import { type ContextId, ContextIdFactory, type ModuleRef } from '@nestjs/core';

/**
 * The value of `@Inject(REQUEST)` in a request-scoped provider while a message is handled. It has the two methods of microservices'
 * `RequestContext`, and `headers`, which a strategy for durable providers usually reads.
 */
export class MessageRequest<P = unknown, C extends DeliveryContext = DeliveryContext> {
  constructor(
    /** The payload, decoded and validated. */
    readonly payload: P,
    /** The message's context. */
    readonly context: C,
  ) {}

  /** The message's headers; empty where the context has none, as for a batch. */
  get headers(): Readonly<Record<string, unknown>> {
    return 'headers' in this.context && isRecord(this.context.headers) ? this.context.headers : {};
  }

  /** The payload, as in Nest's RPC arguments. */
  getData(): P {
    return this.payload;
  }

  /** The context, as in Nest's RPC arguments. */
  getContext(): C {
    return this.context;
  }
}

const contextIds = new WeakMap<DeliveryContext, ContextId>();

/**
 * The context id of a delivery: request-scoped providers are created per message, and shared by all its handlers and enhancers. The
 * application's ContextIdStrategy decides how long durable providers live.
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
  // As in Nest's own transports, durable providers get the strategy's payload, since they outlive the request.
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
