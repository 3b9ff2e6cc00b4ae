import type { HandlerSource } from '../decorators/handler-decorators.js';
import { isRetryPolicy } from './not-retried.js';

const decorators = { log: '@LogBatchHandler', queue: '@QueueBatchHandler' } as const;

/** The problems of handler options that consumers do not check: those of libs/nestjs, and those of the other kind of handler. */
export function ownOptionProblems({ kind, options }: HandlerSource): string[] {
  const { name, globalEnhancers, retry, batch } = options;
  const problems: string[] = [];
  if (name !== undefined && (typeof name !== 'string' || name === '')) {
    problems.push('name must be a string that is not empty');
  }
  if (globalEnhancers !== undefined && typeof globalEnhancers !== 'boolean') {
    problems.push('globalEnhancers must be true or false');
  }
  if (!isRetryPolicy(retry)) problems.push('retry must be an object such as { maxRetries: 5 }, or false');
  if (batch !== undefined && (kind === 'log' || kind === 'queue')) {
    problems.push(`batch is for batch handlers: write ${decorators[kind]}`);
  }
  if (kind === 'queue-batch' && options.pattern !== undefined) {
    problems.push('pattern is not for batch handlers: choose among its messages in the handler');
  }
  return problems;
}
