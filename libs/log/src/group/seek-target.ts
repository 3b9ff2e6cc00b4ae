import { inspect } from 'node:util';
import { OptionsError } from '@millrace/core';
import { OffsetOutOfRangeError } from '../model/read-range.js';
import type { TopicPartition } from '../model/topic-partition.js';
import type { PartitionReader } from '../reader/partition-reader.js';

/** An offset, or a place that is turned into one: the oldest record, the log's end, the first record of a time (ms since 1970). */
export type SeekTarget = number | 'earliest' | 'latest' | { readonly timestamp: number };

/**
 * The offset that a target means in a partition now.
 *
 * @throws {OptionsError} it is no target
 * @throws {OffsetOutOfRangeError} the log does not hold that offset
 */
export async function offsetOf(
  reader: PartitionReader,
  { topic, partition }: TopicPartition,
  target: SeekTarget,
): Promise<number> {
  const problem = seekProblem(target);
  if (problem !== undefined) throw new OptionsError(`topic "${topic}", partition ${partition}`, [problem]);
  if (typeof target === 'object') return reader.offsetForTimestamp(topic, partition, target.timestamp);
  const { start, end } = await reader.state(topic, partition);
  if (target === 'earliest') return start;
  if (target === 'latest') return end;
  if (target < start || target > end) throw new OffsetOutOfRangeError(topic, partition, target, start, end);
  return target;
}

/** What is wrong with a target, as it may come from code without types; undefined: nothing. */
function seekProblem(target: unknown): string | undefined {
  if (target === 'earliest' || target === 'latest') return undefined;
  if (typeof target === 'number' && Number.isSafeInteger(target) && target >= 0) return undefined;
  if (typeof target === 'object' && target !== null && 'timestamp' in target && Number.isFinite(target.timestamp)) {
    return undefined;
  }
  const got = typeof target === 'object' ? inspect(target, { depth: 1 }) : String(target);
  return `where to go must be an offset (a whole number of at least 0), 'earliest', 'latest' or { timestamp: ms since 1970 }, got ${got}`;
}
