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

/** How a message is retried, set by its publisher. What is left out comes from its consumer. */
export interface MessageRetry {
  /** How many times after its first failure; 0: never. */
  readonly maxRetries?: number | undefined;
  /** How long to wait before each retry, as plain data: a function cannot be stored. */
  readonly backoff?: PlainBackoff | undefined;
}

/** The header that holds it in a frame, as JSON: a process that does not know it ignores it. */
export const retryHeader = `${reservedHeaderPrefix}retry`;

/** Everything that is wrong with a caller's value; undefined when it is valid. */
export function messageRetryProblem(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return `must be { maxRetries, backoff }, got ${shown(value)}`;
  }
  const { maxRetries, backoff, ...others }: Record<string, unknown> = { ...value };
  const problems = Object.keys(others).map((key) => `.${key} is unknown: the properties are maxRetries and backoff`);
  const countProblem = maxRetries === undefined ? undefined : integerProblem('.maxRetries', maxRetries);
  if (countProblem !== undefined) problems.push(countProblem);
  if (typeof backoff === 'function') problems.push('.backoff must be plain data, since a function cannot be stored');
  else if (backoff !== undefined) problems.push(...backoffProblems(backoff, '.backoff'));
  return problems.length === 0 ? undefined : `is wrong: ${problems.join('; ')}`;
}

/** The part of it that is stored: undefined when it is empty. */
export function storedRetry({ maxRetries, backoff }: MessageRetry = {}): MessageRetry | undefined {
  if (maxRetries === undefined && backoff === undefined) return undefined;
  return {
    ...(maxRetries === undefined ? {} : { maxRetries }),
    ...(backoff === undefined ? {} : { backoff: plain(backoff) }),
  };
}

/** Only the properties of a backoff: others that a caller's object has may not be valid JSON. */
function plain(backoff: PlainBackoff): PlainBackoff {
  if (typeof backoff === 'number') return backoff;
  const { kind, delayMs, delaysMs, factor, maxDelayMs, jitter } = backoff as unknown as Record<string, unknown>;
  const known = Object.entries({ kind, delayMs, delaysMs, factor, maxDelayMs, jitter });
  return Object.fromEntries(known.filter(([, value]) => value !== undefined)) as unknown as PlainBackoff;
}

/** The headers as they were published, and the retry that was among them; undefined when there is none that can be read. */
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
