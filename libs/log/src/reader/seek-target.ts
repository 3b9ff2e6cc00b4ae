import { assertNoProblem } from '@millrace/core';
import { OffsetOutOfRangeError, placeProblem } from '../model/read-range.js';
import type { TopicPartition } from '../model/topic-partition.js';
import type { PartitionReader } from './partition-reader.js';

/** An offset, or a place that is resolved to one: the oldest record, the log's end, the first record at a time (ms since 1970). */
export type SeekTarget = number | 'earliest' | 'latest' | { readonly timestamp: number };

/**
 * The offset that a target means in a partition now.
 *
 * @throws {OptionsError} the target is invalid
 * @throws {OffsetOutOfRangeError} the log does not hold that offset
 */
export async function offsetOf(
  reader: PartitionReader,
  { topic, partition }: TopicPartition,
  target: SeekTarget,
): Promise<number> {
  assertNoProblem(`topic "${topic}", partition ${partition}`, placeProblem('where to go', target));
  if (typeof target === 'object') return reader.offsetForTimestamp(topic, partition, target.timestamp);
  const { start, end } = await reader.state(topic, partition);
  if (target === 'earliest') return start;
  if (target === 'latest') return end;
  if (target < start || target > end) throw new OffsetOutOfRangeError(topic, partition, target, start, end);
  return target;
}
