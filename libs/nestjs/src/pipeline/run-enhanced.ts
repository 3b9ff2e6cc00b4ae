import { DeadLetter, Drop, isInstance, isThenable, RetryLater } from '@millrace/core';
import type { DeliveryContext } from '@millrace/delivery';
import { Requeue } from '@millrace/queue';
import { type CanActivate, ForbiddenException, type Type } from '@nestjs/common';
import { isObservable, lastValueFrom } from 'rxjs';
import type { EnhancedHandler, Enhancers, HandlerParameter, RunFilters } from '../discovery/nest-internals.js';
import { cancellable } from './cancellable-stream.js';
import { HandlerExecution } from './handler-execution.js';
import { intercepted } from './intercepted.js';
import { unwrapped } from './unwrapped.js';

export type RunHandler = (payload: unknown, context: DeliveryContext) => unknown;

/**
 * Runs guards, then interceptors around pipes and the handler, then filters, in Nest's order. Absent enhancers cost nothing: a handler
 * without any is called directly, and one that ends synchronously creates no promise.
 */
export function runEnhanced(handler: EnhancedHandler, enhancers: Enhancers): RunHandler {
  const { instance, callback } = handler;
  const { guards, interceptors, filters } = enhancers;
  const type = instance.constructor as Type;
  const method = caller(handler, enhancers.parameters);
  const call: RunHandler = (payload, context) => cancellable(method(payload, context), context);
  if (guards.length === 0 && interceptors.length === 0 && filters === undefined) {
    return (payload, context) => unwrapped(call(payload, context));
  }
  const run = (payload: unknown, context: DeliveryContext, execution: HandlerExecution): unknown => {
    if (interceptors.length === 0) return unwrapped(call(payload, context));
    return unwrapped(intercepted(interceptors, execution, () => call(payload, context)));
  };
  const enhanced = (payload: unknown, context: DeliveryContext, execution: HandlerExecution): unknown =>
    guards.length === 0
      ? run(payload, context, execution)
      : allowed(guards, execution).then(() => run(payload, context, execution));
  return (payload, context) => {
    const execution = new HandlerExecution([payload, context], type, callback);
    if (filters === undefined) return enhanced(payload, context, execution);
    return filtered(() => enhanced(payload, context, execution), filters, execution);
  };
}

/** Calls the handler with the values of its parameters, after pipes. */
function caller({ instance, callback }: EnhancedHandler, parameters: readonly HandlerParameter[]): RunHandler {
  if (isPlain(parameters)) return (payload, context) => callback.call(instance, payload, context);
  const [first, ...others] = parameters;
  if (first?.index === 0 && others.length === 0) return callerOfOne(instance, callback, first);
  const length = Math.max(...parameters.map(({ index }) => index)) + 1;
  return (payload, context) => {
    const args: unknown[] = new Array(length).fill(undefined);
    let waits: Promise<void>[] | undefined;
    for (const { index, extractValue, pipes, metadata } of parameters) {
      const value = piped(extractValue(payload, context), pipes, metadata, 0);
      args[index] = value;
      if (isThenable(value)) {
        waits ??= [];
        waits.push(fill(args, index, value));
      }
    }
    if (waits === undefined) return callback.apply(instance, args);
    return Promise.all(waits).then(() => callback.apply(instance, args));
  };
}

/** Most handlers take only the payload. */
function callerOfOne(
  instance: EnhancedHandler['instance'],
  callback: EnhancedHandler['callback'],
  { extractValue, pipes, metadata }: HandlerParameter,
): RunHandler {
  return (payload, context) => {
    const value = piped(extractValue(payload, context), pipes, metadata, 0);
    if (!isThenable(value)) return callback.call(instance, value);
    return Promise.resolve(value).then((settled) => callback.call(instance, settled));
  };
}

async function fill(args: unknown[], index: number, value: PromiseLike<unknown>): Promise<void> {
  args[index] = await value;
}

/** Whether the handler takes payload and context, in that order and without pipes. */
function isPlain(parameters: readonly HandlerParameter[]): boolean {
  const isAt = (index: number, kind: HandlerParameter['kind']): boolean =>
    parameters.some((parameter) => parameter.index === index && parameter.kind === kind);
  const hasNoPipes = parameters.every(({ pipes, metadata }) => pipes.length === 0 && metadata.data === undefined);
  return parameters.length === 2 && hasNoPipes && isAt(0, 'payload') && isAt(1, 'context');
}

function piped(
  value: unknown,
  pipes: HandlerParameter['pipes'],
  metadata: HandlerParameter['metadata'],
  from: number,
): unknown {
  let result = value;
  for (let index = from; index < pipes.length; index++) {
    if (isThenable(result)) return Promise.resolve(result).then((settled) => piped(settled, pipes, metadata, index));
    result = pipes[index]?.transform(result, metadata);
  }
  return result;
}

/** @throws {ForbiddenException} a guard returned false */
async function allowed(guards: readonly CanActivate[], execution: HandlerExecution): Promise<void> {
  for (const guard of guards) {
    const answer = guard.canActivate(execution);
    if (!(await (isObservable(answer) ? lastValueFrom(answer) : answer))) {
      throw new ForbiddenException('Forbidden resource');
    }
  }
}

function filtered(work: () => unknown, filters: RunFilters, execution: HandlerExecution): unknown {
  const filter = async (error: unknown): Promise<unknown> => {
    if (isControl(error)) throw error;
    const answer = filters(error, execution);
    // If a filter returns nothing, the message failed. To settle the message, it returns a value or throws.
    if (answer === undefined) throw error;
    const settled = await answer;
    return isObservable(settled) ? lastValueFrom(settled, { defaultValue: undefined }) : settled;
  };
  try {
    const result = work();
    return isThenable(result) ? Promise.resolve(result).then(undefined, filter) : result;
  } catch (error) {
    return filter(error);
  }
}

/** RetryLater, DeadLetter, Drop and Requeue are decisions, not failures: filters do not see them. */
function isControl(error: unknown): boolean {
  return [RetryLater, DeadLetter, Drop, Requeue].some((word) => isInstance(error, word));
}
