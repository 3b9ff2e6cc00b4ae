import 'reflect-metadata';
import { DeadLetter as DeadLetterThrown, type RetryPolicy } from '@millrace/core';

/** What the policy decorators of a class or method say. */
export interface HandlerPolicies {
  readonly retry?: Partial<RetryPolicy> | false;
  readonly deadLetter?: unknown;
}

const policiesKey = 'millrace:policies';

type PolicyDecorator = ClassDecorator & MethodDecorator;

/**
 * How often, and after how long, failed messages of a handler (or of all handlers of a class) are handled again.
 * `@Retry(5)`, `@Retry({ maxRetries: 5, backoff: { kind: 'fixed', delayMs: 500 } })`, `@Retry(false)` for never.
 * It goes before `retry` among the handler's options; a method's goes before its class's.
 */
export function Retry(policy: Partial<RetryPolicy> | number | false): PolicyDecorator {
  return policyDecorator({ retry: typeof policy === 'number' ? { maxRetries: policy } : policy });
}

/** Where messages of a handler go that were given up. */
export type DeadLetterTarget = { readonly topic: string } | { readonly queue: string } | false;

interface DeadLetterWord {
  /** `@DeadLetter({ topic: 'orders.failed' })`: where given-up messages of a handler (or class) go. */
  (target: DeadLetterTarget): PolicyDecorator;
  /** `throw new DeadLetter('no such customer')`: give this message up now. */
  new (...args: ConstructorParameters<typeof DeadLetterThrown>): DeadLetterThrown;
  readonly prototype: DeadLetterThrown;
}

/**
 * One word for both ends of a dead letter: as a decorator it says where they go, thrown from a handler it makes one.
 * (Two exports of the same name from two packages would be imported wrongly half of the time.)
 */
export const DeadLetter: DeadLetterWord = new Proxy(DeadLetterThrown, {
  apply: (_class, _this, [target]: [DeadLetterTarget]) => policyDecorator({ deadLetter: target }),
}) as never;

/** The policies of a method, those of its class below them. */
export function policiesOf(type: object, method: object): HandlerPolicies {
  return { ...Reflect.getMetadata(policiesKey, type), ...Reflect.getOwnMetadata(policiesKey, method) };
}

function policyDecorator(policies: HandlerPolicies): PolicyDecorator {
  return (target: object, _method?: string | symbol, descriptor?: { readonly value?: unknown }) => {
    const owner = typeof descriptor?.value === 'function' ? descriptor.value : target;
    Reflect.defineMetadata(policiesKey, { ...Reflect.getOwnMetadata(policiesKey, owner), ...policies }, owner);
  };
}
