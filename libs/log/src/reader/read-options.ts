import {
  abortSignal,
  boolean,
  integer,
  OptionsError,
  oneOf,
  optional,
  required,
  resolveOptions,
  text,
} from '@millrace/core';
import { placeOption, type ReadFrom } from '../model/read-range.js';

/** What to read, without a group. */
export interface ReadOptions {
  /** The topic's name. */
  readonly topic: string;
  /** The partition's number, from 0. */
  readonly partition: number;
  /** Where to start. An offset may be inside a batch. Default `earliest`. */
  readonly from: ReadFrom;
  /** Stop before this offset. Default: the log's end when the read starts; with `tail`, none. */
  readonly to?: number | undefined;
  /** Wait for new records at the log's end instead of stopping there. Default false. */
  readonly tail: boolean;
  /** When an offset is not (or no longer) in the log: `fail` (default) with an OffsetOutOfRangeError, or `continue` at the nearest. */
  readonly outOfRange: 'fail' | 'continue';
  /** How long Redis may be unreachable before the read fails, in ms. Default 30,000. */
  readonly maxOutageMs: number;
  /** Aborting it ends the read. */
  readonly signal?: AbortSignal | undefined;
}

/** The options as users write them: topic, partition, and what differs from the defaults. */
export type ReadInput = Pick<ReadOptions, 'topic' | 'partition'> & Partial<ReadOptions>;

/** @throws {OptionsError} with all problems */
export function resolveReadOptions(input: ReadInput): ReadOptions {
  const options = resolveOptions<ReadOptions>(
    'read',
    {
      topic: required(text('')),
      partition: required(integer(0)),
      from: placeOption(),
      to: optional(integer(0)),
      tail: boolean(false),
      outOfRange: oneOf(['fail', 'continue'], 'fail'),
      maxOutageMs: integer(30_000, { min: 1 }),
      signal: abortSignal(),
    },
    input,
  );
  if (typeof options.from === 'number' && options.to !== undefined && options.to < options.from) {
    throw new OptionsError('read', [`to (${options.to}) is before from (${options.from})`]);
  }
  return options;
}
