import { integer, resolveOptions } from '@millrace/core';

/** How often a log removes old records and groups. */
export interface LogSettings {
  /** How often old records are looked for, in ms. Default 60,000; 0: never in this process. */
  readonly retentionIntervalMs: number;
  /** How long a consumer group without members is kept, in ms, with its offsets. Default 7 days, as in Kafka; 0: never deleted. */
  readonly offsetsRetentionMs: number;
}

/** The settings with their defaults. @throws {OptionsError} with all problems */
export function resolveLogSettings(input: Partial<LogSettings>): LogSettings {
  const readers = {
    retentionIntervalMs: integer(60_000, { max: 86_400_000 }),
    offsetsRetentionMs: integer(7 * 86_400_000),
  };
  return resolveOptions<LogSettings>('log', readers, input);
}
