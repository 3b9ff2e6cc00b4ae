import { integer, resolveOptions } from '@millrace/core';

/** How often a log removes old records and groups, and how much its consumers hold. */
export interface LogSettings {
  /** How often old records are looked for, in ms. Default 60,000; 0: never in this process. */
  readonly retentionIntervalMs: number;
  /** How long a consumer group without members is kept, in ms, with its offsets. Default 7 days, as in Kafka; 0: never deleted. */
  readonly offsetsRetentionMs: number;
  /**
   * How many bytes of compressed batches may be held decompressed, over all consumers and partitions of this Log. While it is reached no
   * further batch is decompressed; one that was begun, of at most 64 MiB, may go beyond. Default 128 MiB.
   */
  readonly maxDecodedBytes: number;
}

/** The settings with their defaults. @throws {OptionsError} with all problems */
export function resolveLogSettings(input: Partial<LogSettings>): LogSettings {
  const readers = {
    retentionIntervalMs: integer(60_000, { max: 86_400_000 }),
    offsetsRetentionMs: integer(7 * 86_400_000),
    maxDecodedBytes: integer(128 * 1024 * 1024, { min: 1 }),
  };
  return resolveOptions<LogSettings>('log', readers, input);
}
