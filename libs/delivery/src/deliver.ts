import {
  CodecError,
  isInstance,
  isThenable,
  messageOf,
  type Outcome,
  outcomeOfThrow,
  ValidationError,
} from '@millrace/core';
import type { Decide, DeliveryContext, DeliveryTerms } from './delivery-context.js';
import { isGenerator, runToEnd } from './generator.js';
import type { Handler } from './middleware.js';

/** How messages of one handler are run. */
export interface DeliveryPlan<C extends DeliveryContext> extends DeliveryTerms<C> {
  /** The handler, wrapped in its middleware. */
  readonly handle: Handler<C>;
  /** Checks a payload; a value other than undefined that it returns replaces the payload. @throws {ValidationError} */
  readonly validate?: ((payload: unknown, context: C) => unknown) | undefined;
}

/**
 * Runs one delivery: decode, validate, middleware and handler, under a deadline. It never throws and never touches Redis; it returns the
 * outcome. A message that cannot be decoded or is invalid never reaches the handler.
 */
export function deliver<C extends DeliveryContext>(
  plan: DeliveryPlan<C>,
  context: C,
  decode: () => unknown,
): Promise<Outcome> {
  return new Promise((resolve) => deliverTo(plan, context, decode, resolve));
}

/**
 * The same without a promise per message, for hundreds of thousands of messages per second: `decide` is called once with the outcome,
 * synchronously when neither validation nor handler returns a promise.
 *
 * @returns whether the outcome is known, and `decide` was called
 */
export function deliverTo<C extends DeliveryContext>(
  plan: DeliveryPlan<C>,
  context: C,
  decode: (context: C) => unknown,
  decide: Decide<C>,
): boolean {
  if (!context.begin(plan, decide)) return true;
  let result: unknown;
  try {
    const payload = read(decode, context);
    result = plan.validate === undefined ? plan.handle(payload, context) : check(plan, payload, context);
  } catch (thrown) {
    context.end(outcomeOf(thrown));
    return true;
  }
  let running: Promise<unknown>;
  // A promise is used as it is. The `then` of a user's thenable (a query that runs when it is awaited) is called once, and may throw.
  if (isThenable(result)) running = Promise.resolve(result);
  else if (isGenerator(result)) running = runToEnd(result, context.signal);
  else {
    context.end(result === undefined ? completedWithNothing : { kind: 'completed', result });
    return true;
  }
  const isDecided = context.wait(running);
  void untilHandlerEnds(running, context);
  return isDecided;
}

/** In a stack its name, and that of `deliverTo`, mark code that runs inside a handler: see `inside-handler.ts`. */
async function untilHandlerEnds(running: PromiseLike<unknown>, context: DeliveryContext): Promise<void> {
  let result: unknown;
  try {
    result = await running;
    if (isGenerator(result)) result = await runToEnd(result, context.signal);
  } catch (thrown) {
    context.end(outcomeOf(thrown));
    return;
  }
  context.end(result === undefined ? completedWithNothing : { kind: 'completed', result });
}

const completedWithNothing: Outcome = Object.freeze({ kind: 'completed', result: undefined });

/** Carries the outcome of a message that never reached its handler, apart from the handler's errors. */
class Unreadable {
  constructor(readonly outcome: Outcome) {}
}

function outcomeOf(thrown: unknown): Outcome {
  return isInstance(thrown, Unreadable) ? thrown.outcome : outcomeOfThrow(thrown);
}

async function check<C extends DeliveryContext>(plan: DeliveryPlan<C>, payload: unknown, context: C): Promise<unknown> {
  const checked = plan.validate === undefined ? payload : await validated(plan.validate, payload, context);
  // Awaited so that the stack leads from the handler to here.
  return await plan.handle(checked, context);
}

function read<C extends DeliveryContext>(decode: (context: C) => unknown, context: C): unknown {
  try {
    return decode(context);
  } catch (cause) {
    const error = isInstance(cause, CodecError) ? cause : undecodable(context, cause);
    throw new Unreadable({ kind: 'unreadable', reason: 'undecodable', error });
  }
}

async function validated<C extends DeliveryContext>(
  validate: (payload: unknown, context: C) => unknown,
  payload: unknown,
  context: C,
): Promise<unknown> {
  try {
    const checked = await validate(payload, context);
    return checked === undefined ? payload : checked;
  } catch (error) {
    // A validator that fails for another reason (its database is unavailable) is a failed attempt like any other.
    if (isInstance(error, ValidationError)) throw new Unreadable({ kind: 'unreadable', reason: 'invalid', error });
    throw error;
  }
}

function undecodable(context: DeliveryContext, cause: unknown): CodecError {
  return new CodecError(`${context.describe()} cannot be decoded: ${messageOf(cause)}`, { cause });
}
