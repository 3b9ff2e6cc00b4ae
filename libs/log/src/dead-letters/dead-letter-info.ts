import { deadLetterHeaders, type originOf } from '../model/dead-letter.js';
import type { StoredRecord } from '../model/record.js';

/** A dead letter, for a filter to look at. */
export interface DeadLetterInfo extends Omit<StoredRecord, 'value'> {
  /** The partition of the dead-letter topic in which it stands. */
  readonly partition: number;
  /** The value's bytes. */
  readonly bytes: Buffer;
  /** The topic it comes from. */
  readonly originalTopic: string;
  /** The partition it comes from. */
  readonly originalPartition: number;
  /** The group that gave it up. */
  readonly group: string;
  /** Why it was given up. */
  readonly reason: string;
  /** How often it was sent back already. */
  readonly redrives: number;
}

/** What a filter is told of a dead letter that stands in `partition` of its topic. */
export function infoOf(
  { value: bytes, ...record }: StoredRecord,
  partition: number,
  origin: NonNullable<ReturnType<typeof originOf>>,
): DeadLetterInfo {
  return {
    ...record,
    bytes,
    partition,
    originalTopic: origin.topic,
    originalPartition: origin.partition,
    group: origin.group,
    reason: String(record.headers[deadLetterHeaders.reason]),
    redrives: origin.redrives,
  };
}
