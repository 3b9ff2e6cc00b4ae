import { integer, oneOf, optional, resolveOptions, text } from '@millrace/core';

/** When handlers count as falling behind. */
export interface HealthOptions {
  /** The connection to check. Default: all of the application. */
  readonly connection?: string | undefined;
  /** Degraded when more records than this are still to be read. Default: no limit. */
  readonly maxLag: number;
  /** Degraded when the next record to be read has waited longer, in ms. Default 60,000. */
  readonly maxLagMs: number;
  /** Degraded when a message has waited longer in a queue, in ms. Default 60,000. */
  readonly maxOldestMessageMs: number;
  /** Down when Redis has not replied within this time, in ms. Default 2,000. */
  readonly timeoutMs: number;
  /** The status that Terminus gets for `degraded`. Default `degraded`; Terminus 11 does not know it: give `up` or `down` there. */
  readonly degradedAs: 'degraded' | 'up' | 'down';
}

/** @throws {OptionsError} with all problems */
export function resolveHealthOptions(input: Partial<HealthOptions>): HealthOptions {
  return resolveOptions<HealthOptions>(
    'millrace health',
    {
      connection: optional(text('')),
      maxLag: integer(Number.MAX_SAFE_INTEGER),
      maxLagMs: integer(60_000),
      maxOldestMessageMs: integer(60_000),
      timeoutMs: integer(2000, { min: 1 }),
      degradedAs: oneOf(['degraded', 'up', 'down'], 'degraded'),
    },
    input,
  );
}
