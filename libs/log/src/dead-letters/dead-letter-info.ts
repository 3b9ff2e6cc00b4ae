import { deadLetterHeaders, type originOf } from '../model/dead-letter.js';
import type { StoredRecord } from '../model/record.js';

/** A dead letter, as a filter sees it. */
export interface DeadLetterInfo extends Omit<StoredRecord, 'value'> {
  /** The partition of the dead-letter topic that holds it. */
  readonly partition: number;
  /** The value's bytes. */
  readonly bytes: Buffer;
  /** The topic that the record comes from. */
  readonly originalTopic: string;
  /** The partition that the record comes from. */
  readonly originalPartition: number;
  /** The group that gave the record up. */
  readonly group: string;
  /** Why the group gave it up. */
  readonly reason: string;
  /** How many times it was sent back before. */
  readonly redrives: number;
}

/** What a filter gets for a dead letter in `partition` of its topic. */
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
