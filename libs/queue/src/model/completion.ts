import { storedInteger } from '@millrace/core';

/** What a consumer stores about a message that it has handled, in a queue that keeps completed messages. */
export interface Completion {
  /** When its handler began, by the consumer's monotonic clock; undefined when unknown. */
  readonly startedAt: number | undefined;
  /** See `resultToKeep`. */
  readonly result: string;
}

/** Only the fact that it was handled is known. */
export const bareCompletion: Completion = Object.freeze({ startedAt: undefined, result: '' });

/** A result of more bytes, as JSON, is not kept with its message: 1,000 messages with results of this size take 16 MB in Redis. */
export const maxKeptResultBytes = 16_384;

/**
 * What a handler returned, as kept with its message: JSON, or '' for nothing. Of a result that is too large only its size,
 * after a prefix that no JSON has.
 *
 * @throws {TypeError} it cannot be written as JSON: it is circular, say, or a BigInt
 */
export function resultToKeep(value: unknown): string {
  const json = JSON.stringify(value) ?? '';
  if (json.length * 3 <= maxKeptResultBytes) return json;
  const bytes = Buffer.byteLength(json);
  return bytes <= maxKeptResultBytes ? json : `!${bytes}`;
}

/** A result as it was kept. */
export interface ReadResult {
  readonly result: unknown;
  /** The size of the result as JSON when that was too large to be kept; undefined when it is here, or there was none. */
  readonly omittedResultBytes: number | undefined;
}

/** Reads what `resultToKeep` made; what cannot be read counts as no result. */
export function readKeptResult(kept: string): ReadResult {
  if (kept.startsWith('!')) return { result: undefined, omittedResultBytes: storedInteger(kept.slice(1)) };
  try {
    return { result: kept === '' ? undefined : JSON.parse(kept), omittedResultBytes: undefined };
  } catch {
    return { result: undefined, omittedResultBytes: undefined };
  }
}
