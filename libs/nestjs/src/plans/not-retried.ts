import type { RetryPolicy, RetryRule } from '@millrace/core';

/** Statuses of Nest's exceptions that mean "the message is wrong", not "try again": invalid, forbidden, unprocessable. */
const finalStatuses: readonly unknown[] = [400, 403, 422];

/**
 * A pipe's BadRequestException and a guard's ForbiddenException will be thrown again at every retry, so such messages become dead letters
 * immediately. Recognised by its method, since an application may have two copies of @nestjs/common.
 */
export const rejectionRule: RetryRule = Object.freeze<RetryRule>({
  when: (error: unknown) => finalStatuses.includes(statusOf(error)),
  do: 'dead-letter',
});

/** The policy with this rule after its own rules, so that a handler can override it. */
export function withRejectionRule(retry: Partial<RetryPolicy> | false | undefined): Partial<RetryPolicy> | false {
  if (retry === false) return false;
  return { ...retry, rules: [...(retry?.rules ?? []), rejectionRule] };
}

/** Whether it has the shape of a policy; the consumer checks its properties. */
export function isRetryPolicy(retry: unknown): boolean {
  if (retry === undefined || retry === false) return true;
  if (typeof retry !== 'object' || retry === null || Array.isArray(retry)) return false;
  return !('rules' in retry) || retry.rules === undefined || Array.isArray(retry.rules);
}

function statusOf(error: unknown): unknown {
  if (typeof error !== 'object' || error === null || !('getStatus' in error)) return undefined;
  return typeof error.getStatus === 'function' ? error.getStatus() : undefined;
}
