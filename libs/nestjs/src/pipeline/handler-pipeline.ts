import { type ContextId, ExternalContextCreator, ModuleRef } from '@nestjs/core';
import { type ParamMetadata, paramKinds, routeArgsKey } from '../decorators/payload-decorators.js';
import {
  enhancersOf,
  type InstanceWrapper,
  instanceInContext,
  withoutGlobalEnhancers,
} from '../discovery/nest-internals.js';
import { contextType } from './handler-execution.js';
import { contextIdOf } from './message-request.js';
import { type RunHandler, runEnhanced } from './run-enhanced.js';

/** A method of a provider or controller. */
export interface HandlerMethod {
  readonly wrapper: InstanceWrapper;
  readonly name: string;
}

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

/** Runs handler methods with all of Nest's features: guards, interceptors, pipes, filters, parameter decorators and request scope. */
export class HandlerPipeline {
  readonly #moduleRef: ModuleRef;
  readonly #creator: ExternalContextCreator;

  /** `globalEnhancers`: whether enhancers registered for the whole application (mostly for HTTP) run too. */
  constructor(moduleRef: ModuleRef, creator: ExternalContextCreator, globalEnhancers: boolean) {
    this.#moduleRef = moduleRef;
    this.#creator = globalEnhancers ? creator : withoutGlobalEnhancers(creator);
  }

  /** @throws {Error} a guard, pipe, interceptor or filter of the method is invalid */
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
    const handler = {
      instance,
      callback,
      name,
      moduleKey: wrapper.host?.token ?? '',
      contextId,
      inquirerId: contextId === undefined ? undefined : wrapper.id,
    };
    const params = { key: argumentsKey(instance, name), factory: paramsFactory, contextType };
    return runEnhanced(handler, enhancersOf(this.#creator, handler, params));
  }
}

function argumentsKey(instance: object, name: string): string {
  const type = instance.constructor;
  if (Reflect.hasMetadata(routeArgsKey, type, name)) return routeArgsKey;
  if (!Reflect.hasMetadata(ownArgsKey, type, name)) Reflect.defineMetadata(ownArgsKey, plainArguments, type, name);
  return ownArgsKey;
}
