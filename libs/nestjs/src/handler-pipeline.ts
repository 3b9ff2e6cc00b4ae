import { DeadLetter, Drop, RetryLater } from '@millrace/core';
import type { DeliveryContext } from '@millrace/delivery';
import { type ContextId, ExternalContextCreator, ModuleRef } from '@nestjs/core';
import { isObservable, lastValueFrom } from 'rxjs';
import { contextIdOf } from './message-request.js';
import { filtersOf, type InstanceWrapper, instanceInContext, withoutGlobalEnhancers } from './nest-internals.js';
import { type ParamMetadata, paramKinds, routeArgsKey } from './payload-decorators.js';

/** `context.getType()` in guards, interceptors and filters of a Millrace handler. */
export type MillraceContextType = 'millrace';

export const contextType: MillraceContextType = 'millrace';

/** A method of a provider or controller. */
export interface HandlerMethod {
  readonly wrapper: InstanceWrapper;
  readonly name: string;
}

export type RunHandler = (payload: unknown, context: DeliveryContext) => unknown;

const ownArgsKey = 'millrace:arguments';

/** `(payload, context)` for a method whose parameters have no decorators; pipes run on the payload. */
const plainArguments: Readonly<Record<string, ParamMetadata>> = {
  [`${paramKinds.payload}:0`]: { index: 0, pipes: [] },
  [`${paramKinds.context}:1`]: { index: 1, pipes: [] },
};

const paramsFactory = {
  exchangeKeyForValue(kind: number, property: unknown, [payload, context]: readonly unknown[]): unknown {
    if (kind === paramKinds.context) return context;
    if (typeof property !== 'string' || typeof payload !== 'object' || payload === null) return payload;
    return Reflect.get(payload, property);
  },
};

/**
 * Runs handler methods within everything Nest knows: guards, interceptors, pipes, filters, parameter decorators and
 * request scope.
 */
export class HandlerPipeline {
  readonly #moduleRef: ModuleRef;
  readonly #creator: ExternalContextCreator;

  /** `globalEnhancers`: whether those registered for the whole application (for HTTP, mostly) run as well. */
  constructor(moduleRef: ModuleRef, creator: ExternalContextCreator, globalEnhancers: boolean) {
    this.#moduleRef = moduleRef;
    this.#creator = globalEnhancers ? creator : withoutGlobalEnhancers(creator);
  }

  /** @throws {Error} a guard, pipe, interceptor or filter of the method is none */
  create(method: HandlerMethod): RunHandler {
    const { wrapper } = method;
    if (wrapper.isDependencyTreeStatic() && !wrapper.isTransient) return this.#bind(method, wrapper.instance);
    const isDurable = wrapper.isDependencyTreeDurable();
    return async (payload, context) => {
      const contextId = contextIdOf(this.#moduleRef, payload, context, isDurable);
      const instance = await instanceInContext(this.#moduleRef, wrapper, contextId);
      return this.#bind(method, instance, contextId)(payload, context);
    };
  }

  #bind({ wrapper, name }: HandlerMethod, instance: object, contextId?: ContextId): RunHandler {
    const callback: (...args: unknown[]) => unknown = Reflect.get(instance, name);
    const run = this.#creator.create(
      instance,
      callback,
      name,
      argumentsKey(instance, name),
      paramsFactory,
      contextId,
      contextId === undefined ? undefined : wrapper.id,
      { guards: true, interceptors: true, filters: false },
      contextType,
    );
    const moduleKey = wrapper.host?.token ?? '';
    const filters = filtersOf(this.#creator, { instance, callback, moduleKey }, contextId, wrapper.id);
    if (filters === undefined) return run;
    return async (payload, context) => {
      try {
        return await run(payload, context);
      } catch (error) {
        if (isControl(error)) throw error;
        const answer = filters(error, new MessageArguments([payload, context]));
        // A filter that answers nothing has only looked: the message failed. To settle it, it answers or throws.
        if (answer === undefined) throw error;
        const settled = await answer;
        return isObservable(settled) ? lastValueFrom(settled, { defaultValue: undefined }) : settled;
      }
    };
  }
}

/** RetryLater, DeadLetter and Drop are decisions, not failures: filters do not see them. */
function isControl(error: unknown): boolean {
  return error instanceof RetryLater || error instanceof DeadLetter || error instanceof Drop;
}

function argumentsKey(instance: object, name: string): string {
  const type = instance.constructor;
  if (Reflect.hasMetadata(routeArgsKey, type, name)) return routeArgsKey;
  if (!Reflect.hasMetadata(ownArgsKey, type, name)) Reflect.defineMetadata(ownArgsKey, plainArguments, type, name);
  return ownArgsKey;
}

/** The ArgumentsHost that filters get: `host.switchToRpc().getData()` is the payload, `.getContext()` the context. */
class MessageArguments {
  readonly #args: readonly unknown[];

  constructor(args: readonly unknown[]) {
    this.#args = args;
  }

  getArgs(): readonly unknown[] {
    return this.#args;
  }

  getArgByIndex(index: number): unknown {
    return this.#args[index];
  }

  getType(): MillraceContextType {
    return contextType;
  }

  switchToRpc(): object {
    return { getData: () => this.#args[0], getContext: () => this.#args[1] };
  }

  switchToHttp(): object {
    return { getRequest: () => this.#args[0], getResponse: () => this.#args[1], getNext: () => undefined };
  }

  switchToWs(): object {
    return { getClient: () => this.#args[1], getData: () => this.#args[0], getPattern: () => undefined };
  }
}
