import { storedInteger } from '@millrace/core';

/** What a consumer says of a message that it has handled, in a queue that keeps such messages. */
export interface Completion {
  /** When its handler began, by the consumer's monotonic clock; undefined when that is not known. */
  readonly startedAt: number | undefined;
  /** See `resultToKeep`. */
  readonly result: string;
}

/** Nothing is known but that it was handled. */
export const bareCompletion: Completion = Object.freeze({ startedAt: undefined, result: '' });

/** A result of more bytes, as JSON, is not kept with its message: 1,000 messages with such results take Redis 16 MB. */
export const maxKeptResultBytes = 16_384;

/**
 * What a handler returned, as it is kept with its message: JSON, or '' for nothing. Of a result that is too large only its size,
 * behind a sign that begins no JSON.
 *
 * @throws {TypeError} JSON cannot hold it: it is circular, say, or a BigInt
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
  /** How many bytes the result had as JSON that was too large to be kept; undefined when it is here, or there was none. */
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
