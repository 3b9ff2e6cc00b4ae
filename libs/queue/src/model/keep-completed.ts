import { integer, type OptionReader, object, optional } from '@millrace/core';
import { type Sharded, shareOf } from './shards.js';

/** Which messages a queue keeps after they were completed. At least one of the two is given; what is beyond either goes. */
export interface KeepCompleted {
  /** The newest so many, 1 to 1,000,000. Default: 1,000,000. */
  readonly count?: number | undefined;
  /** Those that were completed within this time, in ms, at least 1. Default: of any age. */
  readonly ageMs?: number | undefined;
}

/** More are never kept: Redis has them all in memory. */
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
 * What scripts read of it: how many a shard keeps, and after a space for how many ms, where that is limited. One field, since every
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
