import { describe, expect, it } from '@jest/globals';
import { groupStatus, type PartitionStatus, statusCodes, worstStatus } from './group-status.js';

describe("the status of a group, in Burrow's words", () => {
  it('is an error as soon as one partition stands, stalls or goes back', () => {
    const of = (...partitions: PartitionStatus[]) => [worstStatus(partitions), groupStatus(partitions)];
    expect(of()).toEqual(['ok', 'ok']);
    expect(of('ok')).toEqual(['ok', 'ok']);
    expect(of('ok', 'warning', 'ok')).toEqual(['warning', 'warning']);
    expect(of('stop', 'warning')).toEqual(['stop', 'error']);
    expect(of('stop', 'stall')).toEqual(['stall', 'error']);
    expect(of('rewind', 'stall', 'ok')).toEqual(['rewind', 'error']);
  });

  it("has Burrow's codes", () => {
    expect(statusCodes).toEqual({ ok: 1, warning: 2, error: 3, stop: 4, stall: 5, rewind: 6 });
  });
});
