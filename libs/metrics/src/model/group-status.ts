/** Burrow's states of one partition of a group. */
export type PartitionStatus = 'ok' | 'warning' | 'stop' | 'stall' | 'rewind';

/** Burrow's states of a group as a whole: any of stop, stall and rewind makes it an error. */
export type GroupStatus = 'ok' | 'warning' | 'error';

/** Burrow's numbers (core/protocol/evaluator.go); 0, "not found", is never reported: an unknown status has no series. */
export const statusCodes = { ok: 1, warning: 2, error: 3, stop: 4, stall: 5, rewind: 6 } as const;

export function groupStatus(partitions: readonly PartitionStatus[]): GroupStatus {
  const worst = worstStatus(partitions);
  return worst === 'ok' || worst === 'warning' ? worst : 'error';
}

/** The status with the highest code. */
export function worstStatus(partitions: readonly PartitionStatus[]): PartitionStatus {
  return partitions.reduce<PartitionStatus>(
    (worst, status) => (statusCodes[status] > statusCodes[worst] ? status : worst),
    'ok',
  );
}
