import type { RecordMetadata } from '../model/record.js';

/**
 * A class and not a literal: when a burst of literals outlives a collection, V8 makes all that come after it from the same line old from
 * the start, and 500 a batch wait for a collection of everything.
 */
export class RecordPlace implements RecordMetadata {
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
