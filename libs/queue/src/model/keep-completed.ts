import { integer, type OptionReader, object, optional } from '@millrace/core';
import { type Sharded, shareOf } from './shards.js';

/** Which completed messages a queue keeps. At least one of the two limits is set; what exceeds either is removed. */
export interface KeepCompleted {
  /** How many of the newest, 1 to 1,000,000. Default: 1,000,000. */
  readonly count?: number | undefined;
  /** Those completed within this time, in ms, at least 1. Default: of any age. */
  readonly ageMs?: number | undefined;
}

/** An upper limit, since Redis holds all of them in memory. */
const maxCount = 1_000_000;

const limits = object<KeepCompleted>({
  count: optional(integer(1, { min: 1, max: maxCount })),
  ageMs: optional(integer(1, { min: 1 })),
});

export const keepCompletedOption: OptionReader<KeepCompleted | undefined> = (value, report, path) => {
  if (value === undefined) return undefined;
  const isEmpty = typeof value === 'object' && Object.values(value ?? {}).every((limit) => limit === undefined);
  if (!isEmpty) return limits(value, report, path);
  report(`${path} must be { count, ageMs } with at least one of the two; leave it out to keep none`);
  return undefined;
};

/**
 * The form that scripts read: how many a shard keeps, and after a space for how many ms, where that is limited. One field, since every
 * turn reads it. Undefined: none are kept.
 */
export function keepCompletedField(
  keepCompleted: KeepCompleted | undefined,
  queue: Pick<Sharded, 'shards'>,
): string | undefined {
  if (keepCompleted === undefined) return undefined;
  const { count = maxCount, ageMs } = keepCompleted;
  return `${shareOf(count, queue)}${ageMs === undefined ? '' : ` ${ageMs}`}`;
}
