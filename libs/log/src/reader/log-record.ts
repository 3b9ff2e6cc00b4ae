import type { Headers } from '@millrace/core';

/** A record as it is read. */
export interface LogRecord<T = unknown> {
  /** The topic it stands in. */
  readonly topic: string;
  /** The partition's number, from 0. */
  readonly partition: number;
  /** Its place in the partition, from 0. */
  readonly offset: number;
  /** When it happened, in ms since 1970: its producer's clock; with `timestamps: 'append'` when it was appended. */
  readonly timestamp: number;
  /** Undefined for a record that was sent without one. */
  readonly key: string | undefined;
  /** What was sent with it. */
  readonly headers: Headers;
  /** Decoded with the codec it was written with. */
  readonly value: T;
}
