import type { ExecutionContext, Type } from '@nestjs/common';

/** `context.getType()` in guards, interceptors and filters of a Millrace handler. */
export type MillraceContextType = 'millrace';

export const contextType: MillraceContextType = 'millrace';

/** The ExecutionContext of one delivery: `switchToRpc().getData()` is the payload, `.getContext()` the message's context. */
export class HandlerExecution implements ExecutionContext {
  readonly #args: [payload: unknown, context: unknown];
  readonly #type: Type;
  readonly #callback: (...args: unknown[]) => unknown;

  constructor(args: [payload: unknown, context: unknown], type: Type, callback: (...args: unknown[]) => unknown) {
    this.#args = args;
    this.#type = type;
    this.#callback = callback;
  }

  getClass<T>(): Type<T> {
    return this.#type as Type<T>;
  }

  getHandler(): (...args: unknown[]) => unknown {
    return this.#callback;
  }

  getArgs<T extends unknown[]>(): T {
    return this.#args as unknown as T;
  }

  getArgByIndex<T>(index: number): T {
    return this.#args[index] as T;
  }

  getType<T extends string>(): T {
    return contextType as string as T;
  }

  switchToRpc(): ReturnType<ExecutionContext['switchToRpc']> {
    const [payload, context] = this.#args;
    return { getData: <T>() => payload as T, getContext: <T>() => context as T };
  }

  switchToHttp(): ReturnType<ExecutionContext['switchToHttp']> {
    const [payload, context] = this.#args;
    return {
      getRequest: <T>() => payload as T,
      getResponse: <T>() => context as T,
      getNext: <T>() => undefined as T,
    };
  }

  switchToWs(): ReturnType<ExecutionContext['switchToWs']> {
    const [payload, context] = this.#args;
    return { getData: <T>() => payload as T, getClient: <T>() => context as T, getPattern: () => '' };
  }
}
