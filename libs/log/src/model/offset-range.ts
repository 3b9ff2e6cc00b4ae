/** What to do when a group's offset is not in the log. */
export const outOfRangePolicies = ['earliest', 'latest', 'fail'] as const;
/** Continue at the oldest record, at the end, or `fail`: stop reading the partition and report it. */
export type OutOfRangePolicy = (typeof outOfRangePolicies)[number];

/** Where a reader that wants `wanted` continues. */
export type Resumption =
  | { readonly kind: 'as-wanted'; readonly offset: number }
  | {
      readonly kind: 'moved' | 'refused';
      readonly offset: number;
      readonly why: 'below-log-start' | 'log-truncated';
    };

/**
 * Below the log's start (retention removed the offset) the policy decides: the oldest record, only new ones, or stop.
 * Past its end (a failover truncated the log) it is the end unless the policy is `fail`: everything before the end was
 * read, so starting over would only repeat it, which Kafka's clients do.
 */
export function resumeAt(
  wanted: number,
  log: { readonly start: number; readonly end: number },
  policy: OutOfRangePolicy,
): Resumption {
  if (wanted >= log.start && wanted <= log.end) return { kind: 'as-wanted', offset: wanted };
  const why = wanted < log.start ? 'below-log-start' : 'log-truncated';
  if (policy === 'fail') return { kind: 'refused', offset: wanted, why };
  return { kind: 'moved', offset: why === 'below-log-start' && policy === 'earliest' ? log.start : log.end, why };
}
