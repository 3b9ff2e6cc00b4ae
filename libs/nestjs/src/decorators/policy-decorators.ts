import 'reflect-metadata';
import { DeadLetter as DeadLetterThrown, type RetryPolicy } from '@millrace/core';

/** The policies that decorators set on a class or method. */
export interface HandlerPolicies {
  readonly retry?: Partial<RetryPolicy> | false;
  readonly deadLetter?: DeadLetterTarget;
}

const policiesKey = 'millrace:policies';

type PolicyDecorator = ClassDecorator & MethodDecorator;

/**
 * How often, and after how long, failed messages of a handler (or of all handlers of a class) are handled again.
 * `@Retry(5)`, `@Retry({ maxRetries: 5, backoff: { kind: 'fixed', delayMs: 500 } })`, `@Retry(false)` for never.
 * It overrides `retry` in the handler's options; a method's decorator overrides its class's.
 */
export function Retry(policy: Partial<RetryPolicy> | number | false): PolicyDecorator {
  return policyDecorator({ retry: typeof policy === 'number' ? { maxRetries: policy } : policy });
}

/** The destination of messages that a handler gave up. */
export type DeadLetterTarget = { readonly topic: string } | { readonly queue: string } | false;

interface DeadLetterWord {
  /** `@DeadLetter({ topic: 'orders.failed' })`: the destination of messages that a handler (or the handlers of a class) gave up. */
  (target: DeadLetterTarget): PolicyDecorator;
  /** `throw new DeadLetter('no such customer')`: give this message up without further retries. */
  new (...args: ConstructorParameters<typeof DeadLetterThrown>): DeadLetterThrown;
  readonly prototype: DeadLetterThrown;
}

/**
 * One export for two uses: as a decorator it sets where dead letters go, thrown from a handler it makes one. (Two exports of the same
 * name from two packages would often be confused.)
 */
export const DeadLetter: DeadLetterWord = new Proxy(DeadLetterThrown, {
  apply: (_class, _this, [target]: [DeadLetterTarget]) => policyDecorator({ deadLetter: target }),
}) as never;

/** The policies of a method, with those of its class as defaults. */
export function policiesOf(type: object, method: object): HandlerPolicies {
  return { ...Reflect.getMetadata(policiesKey, type), ...Reflect.getOwnMetadata(policiesKey, method) };
}

function policyDecorator(policies: HandlerPolicies): PolicyDecorator {
  return (target: object, _method?: string | symbol, descriptor?: { readonly value?: unknown }) => {
    const owner = typeof descriptor?.value === 'function' ? descriptor.value : target;
    Reflect.defineMetadata(policiesKey, { ...Reflect.getOwnMetadata(policiesKey, owner), ...policies }, owner);
  };
}
