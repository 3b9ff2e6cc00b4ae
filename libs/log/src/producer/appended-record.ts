import type { RecordMetadata } from '../model/record.js';

/**
 * A class and not a literal: when a burst of literals survives a collection, V8 allocates all later ones of the same line in the old
 * space, and 500 per batch wait for a full collection.
 */
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
