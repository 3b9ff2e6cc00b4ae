/** What to do when a group's offset is not in the log. */
export const outOfRangePolicies = ['earliest', 'latest', 'fail'] as const;
/** Go on at the oldest record, at the end, or `fail`: stop reading the partition and tell. */
export type OutOfRangePolicy = (typeof outOfRangePolicies)[number];

/** Where a reader that wants `wanted` goes on. */
export type Resumption =
  | { readonly kind: 'as-wanted'; readonly offset: number }
  | {
      readonly kind: 'moved' | 'refused';
      readonly offset: number;
      readonly why: 'below-log-start' | 'log-truncated';
    };

/**
 * Below the log's start (retention passed it) the policy decides: the oldest record there is, only new ones, or nothing.
 * Past its end (a failover lost the log's tail) it is the end unless the policy is `fail`: everything before the end was
 * read, so starting over would only repeat it. Kafka's clients, which do as they are told, are feared for that.
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
