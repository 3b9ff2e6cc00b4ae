import type { Headers } from '@millrace/core';

/** A record as a reader gets it. */
export interface LogRecord<T = unknown> {
  /** The topic that holds it. */
  readonly topic: string;
  /** The partition's number, from 0. */
  readonly partition: number;
  /** Its place in the partition, from 0. */
  readonly offset: number;
  /** When the event happened, in ms since 1970, by its producer's clock; with `timestamps: 'append'` when it was appended. */
  readonly timestamp: number;
  /** Undefined for a record that was sent without one. */
  readonly key: string | undefined;
  /** The headers it was sent with. */
  readonly headers: Headers;
  /** Decoded with the codec it was written with. */
  readonly value: T;
}
