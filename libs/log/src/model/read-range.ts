import { brand, integerProblem, isTimestamp, MillraceError, type OptionReader, shown } from '@millrace/core';

/** Where reading starts: the oldest record, the log's end, an offset, or the first record at a time. */
export type ReadFrom = 'earliest' | 'latest' | number | { readonly timestamp: number };

/**
 * What is wrong with a place in a log, which may come from untyped code, with what was given; undefined: nothing.
 *
 * @param isOffset whether it may be an offset. Default true
 */
export function placeProblem(path: string, place: unknown, { isOffset = true } = {}): string | undefined {
  if (place === 'earliest' || place === 'latest') return undefined;
  if (isOffset && integerProblem(path, place) === undefined) return undefined;
  const hasTime = typeof place === 'object' && place !== null && 'timestamp' in place;
  if (hasTime && isTimestamp(place.timestamp)) return undefined;
  const offset = isOffset ? 'an offset (a whole number of at least 0), ' : '';
  const got = hasTime ? `{ timestamp: ${shown(place.timestamp)} }` : shown(place);
  return `${path} must be ${offset}'earliest', 'latest' or { timestamp: ms since 1970 }, got ${got}`;
}

/** Reads a place in a log, `earliest` by default. @param allowed as for `placeProblem` */
export function placeOption<P extends ReadFrom>(allowed: { readonly isOffset?: boolean } = {}): OptionReader<P> {
  return (value, report, path) => {
    const place = value === undefined ? 'earliest' : value;
    const problem = placeProblem(path, place, allowed);
    if (problem !== undefined) report(problem);
    return place as P;
  };
}

/** An offset is not in the log: retention removed it, a failover lost it, or it was never written. */
export class OffsetOutOfRangeError extends MillraceError {
  constructor(
    /** The topic's name. */
    readonly topic: string,
    /** The partition's number. */
    readonly partition: number,
    /** The requested offset. */
    readonly offset: number,
    /** Offset of the oldest record that can be read. */
    readonly start: number,
    /** The offset that the next record will get. */
    readonly end: number,
    reason?: string,
  ) {
    const later =
      offset < end ? 'a failover lost it, and another record has this offset now' : 'the log ends before it';
    const why = reason ?? (offset < start ? 'retention has removed it' : later);
    super(
      `topic "${topic}", partition ${partition}: offset ${offset} is not in the log: ${why}. ` +
        `The log holds ${start} to ${end}. Read an offset in that range, or set outOfRange: 'continue'.`,
    );
  }
}

brand({ OffsetOutOfRangeError });

/** Where to continue when `offset` is not in the log: the nearest offset that is. */
export function nearestOffset(
  offset: number,
  { start, end }: { readonly start: number; readonly end: number },
): number {
  return Math.min(Math.max(offset, start), end);
}
