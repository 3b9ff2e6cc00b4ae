import type { RecordMetadata } from '../model/record.js';

/** A class: see docs/decisions/0008. */
export class AppendedRecord implements RecordMetadata {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;

  constructor(topic: string, partition: number, offset: number, timestamp: number) {
    this.topic = topic;
    this.partition = partition;
    this.offset = offset;
    this.timestamp = timestamp;
  }
}
