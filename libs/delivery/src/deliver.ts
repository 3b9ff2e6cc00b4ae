import { CodecError, type Outcome, outcomeOfThrow, ValidationError } from '@millrace/core';
import type { DeliveryContext } from './delivery-context.js';
import type { Handler } from './middleware.js';

/** How messages of one handler are run. */
export interface DeliveryPlan<C extends DeliveryContext> {
  /** The handler within its middleware. */
  readonly handle: Handler<C>;
  /** Checks a payload and may answer a changed one. @throws {ValidationError} */
  readonly validate?: ((payload: unknown, context: C) => unknown) | undefined;
  /** How long the handler may take; 0 means for ever. */
  readonly handlerTimeoutMs: number;
}

/**
 * Runs one delivery: decode, validate, middleware and handler, under a deadline. It never throws and never touches Redis;
 * it answers what happened. What cannot be decoded or validated never reaches the handler.
 */
export function deliver<C extends DeliveryContext>(
  plan: DeliveryPlan<C>,
  context: C,
  decode: () => unknown,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const running = run(plan, context, decode);
    context.begin(running, plan.handlerTimeoutMs, resolve);
    running.then(
      (result) => context.end({ kind: 'completed', result }),
      (thrown: unknown) => context.end(thrown instanceof Unreadable ? thrown.outcome : outcomeOfThrow(thrown)),
    );
  });
}

/** Carries the outcome of a message that never reached its handler past the handler's own errors. */
class Unreadable {
  constructor(readonly outcome: Outcome) {}
}

async function run<C extends DeliveryContext>(
  plan: DeliveryPlan<C>,
  context: C,
  decode: () => unknown,
): Promise<unknown> {
  const payload = read(decode, context);
  if (plan.validate === undefined) return plan.handle(payload, context);
  return plan.handle(await validated(plan.validate, payload, context), context);
}

function read(decode: () => unknown, context: DeliveryContext): unknown {
  try {
    return decode();
  } catch (cause) {
    const error = cause instanceof CodecError ? cause : undecodable(context, cause);
    throw new Unreadable({ kind: 'unreadable', reason: 'undecodable', error });
  }
}

async function validated<C extends DeliveryContext>(
  validate: (payload: unknown, context: C) => unknown,
  payload: unknown,
  context: C,
): Promise<unknown> {
  try {
    return await validate(payload, context);
  } catch (error) {
    // A validator that fails for another reason (its database is away) is a failed attempt like any other.
    if (error instanceof ValidationError) throw new Unreadable({ kind: 'unreadable', reason: 'invalid', error });
    throw error;
  }
}

function undecodable(context: DeliveryContext, cause: unknown): CodecError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new CodecError(`${context.describe()} cannot be decoded: ${why}`, { cause });
}
