import {
  type Backoff,
  backoffProblems,
  type Headers,
  integerProblem,
  reservedHeaderPrefix,
  shown,
} from '@millrace/core';

/** A backoff that can be stored: no function. */
export type PlainBackoff = Exclude<Backoff, (...args: never[]) => unknown>;

/** How often a message is handled again after a failure, in its publisher's words. What is left out is as its consumer says. */
export interface MessageRetry {
  /** How many times after its first failure; 0: never. */
  readonly maxRetries?: number | undefined;
  /** How long to wait before each retry, as plain data: a function cannot be stored. */
  readonly backoff?: PlainBackoff | undefined;
}

/** Where a frame has it, as JSON: among the headers, where a process that knows nothing of it passes it over. */
export const retryHeader = `${reservedHeaderPrefix}retry`;

/** What is wrong with what a caller gave, all of it; undefined when nothing is. */
export function messageRetryProblem(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return `must be { maxRetries, backoff }, got ${shown(value)}`;
  }
  const { maxRetries, backoff, ...others }: Record<string, unknown> = { ...value };
  const problems = Object.keys(others).map((key) => `.${key} is no part of it: maxRetries and backoff are`);
  const countProblem = maxRetries === undefined ? undefined : integerProblem('.maxRetries', maxRetries);
  if (countProblem !== undefined) problems.push(countProblem);
  if (typeof backoff === 'function') problems.push('.backoff must be plain data, since a function cannot be stored');
  else if (backoff !== undefined) problems.push(...backoffProblems(backoff, '.backoff'));
  return problems.length === 0 ? undefined : `is wrong: ${problems.join('; ')}`;
}

/** What is stored of it: undefined when it says nothing. */
export function storedRetry({ maxRetries, backoff }: MessageRetry = {}): MessageRetry | undefined {
  if (maxRetries === undefined && backoff === undefined) return undefined;
  return {
    ...(maxRetries === undefined ? {} : { maxRetries }),
    ...(backoff === undefined ? {} : { backoff: plain(backoff) }),
  };
}

/** Only what a backoff is made of: whatever else a caller's object has may be no JSON. */
function plain(backoff: PlainBackoff): PlainBackoff {
  if (typeof backoff === 'number') return backoff;
  const { kind, delayMs, delaysMs, factor, maxDelayMs, jitter } = backoff as unknown as Record<string, unknown>;
  const known = Object.entries({ kind, delayMs, delaysMs, factor, maxDelayMs, jitter });
  return Object.fromEntries(known.filter(([, value]) => value !== undefined)) as unknown as PlainBackoff;
}

/** The headers as they were published, and the retry that stood among them; undefined when there is none that can be read. */
export function takeRetry(headers: Headers): { readonly headers: Headers; readonly retry: MessageRetry } | undefined {
  const { [retryHeader]: json, ...others } = headers;
  if (typeof json !== 'string') return undefined;
  try {
    const retry: unknown = JSON.parse(json);
    return messageRetryProblem(retry) === undefined ? { headers: others, retry: retry as MessageRetry } : undefined;
  } catch {
    return undefined;
  }
}
