import type { RetryPolicy, RetryRule } from '@millrace/core';

/** Statuses of Nest's exceptions that say "this message is wrong", not "try again": invalid, forbidden, unprocessable. */
const finalStatuses: readonly unknown[] = [400, 403, 422];

/**
 * A pipe's BadRequestException and a guard's ForbiddenException will be thrown again at every retry, so such messages go
 * to the dead letters immediately. Looked at by its method, since an application may hold two copies of @nestjs/common.
 */
export const rejectionRule: RetryRule = Object.freeze<RetryRule>({
  when: (error: unknown) => finalStatuses.includes(statusOf(error)),
  do: 'dead-letter',
});

/** The policy with our rule behind its own, so that a handler can decide otherwise. */
export function withRejectionRule(retry: Partial<RetryPolicy> | false | undefined): Partial<RetryPolicy> | false {
  if (retry === false) return false;
  return { ...retry, rules: [...(retry?.rules ?? []), rejectionRule] };
}

function statusOf(error: unknown): unknown {
  if (typeof error !== 'object' || error === null || !('getStatus' in error)) return undefined;
  return typeof error.getStatus === 'function' ? error.getStatus() : undefined;
}
