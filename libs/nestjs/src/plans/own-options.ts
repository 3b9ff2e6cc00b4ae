import type { HandlerKind } from '../decorators/handler-decorators.js';

const decorators = { log: '@LogBatchHandler', queue: '@QueueBatchHandler' } as const;

/** The problems of handler options that consumers do not check: those of libs/nestjs, and those of the other kind of handler. */
export function ownOptionProblems(kind: HandlerKind, options: Readonly<Record<string, unknown>>): string[] {
  const { name, globalEnhancers, retry, batch, pattern } = options;
  const problems: string[] = [];
  if (name !== undefined && (typeof name !== 'string' || name === '')) {
    problems.push('name must be a string that is not empty');
  }
  if (globalEnhancers !== undefined && typeof globalEnhancers !== 'boolean') {
    problems.push('globalEnhancers must be true or false');
  }
  if (!isPolicy(retry)) problems.push('retry must be an object such as { maxRetries: 5 }, or false');
  if (batch !== undefined && (kind === 'log' || kind === 'queue')) {
    problems.push(`batch is for batch handlers: write ${decorators[kind]}`);
  }
  if (pattern !== undefined && kind === 'queue-batch') {
    problems.push('pattern is not for batch handlers: choose among its messages in the handler');
  }
  return problems;
}

/** Whether it has the shape of a policy; the consumer checks its properties. */
export function isPolicy(retry: unknown): boolean {
  if (retry === undefined || retry === false) return true;
  if (typeof retry !== 'object' || retry === null || Array.isArray(retry)) return false;
  return !('rules' in retry) || retry.rules === undefined || Array.isArray(retry.rules);
}
