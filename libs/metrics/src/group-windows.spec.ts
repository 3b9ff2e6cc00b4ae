import { describe, expect, it } from '@jest/globals';
import type { PartitionSnapshot, TopicSnapshot } from '@millrace/admin';
import { GroupWindows } from './group-windows.js';

const intervalMs = 1000;
const topic: TopicSnapshot['topic'] = {
  id: 1,
  version: 1,
  name: 'orders',
  partitions: 1,
  codec: 'json',
  compression: 'none',
  retention: { unread: 'expire' },
  deadLetter: false,
  timestamps: 'create',
};

describe('the status of a group below the log start', () => {
  it('is OK when nothing is left that it could read, and STOP while something is', () => {
    expect(statusWith({ start: 1000, end: 1000 })).toBe('ok');
    expect(statusWith({ start: 990, end: 1000 })).toBe('stop');
  });
});

/** Of a group that committed offset 0 once, after some looks. */
function statusWith(log: Pick<PartitionSnapshot, 'start' | 'end'>): string {
  const windows = new GroupWindows(intervalMs);
  const place = { committed: 0, owner: undefined, isOwnerKnown: true, nextTimestamp: undefined };
  for (let look = 1; look <= 4; look++) {
    const at = look * intervalMs;
    const partition = {
      ...log,
      partition: 0,
      at,
      bytes: 0,
      expiredUnread: new Map(),
      groups: [{ group: 'desk', ...place }],
    };
    windows.observe({ topics: [{ topic, partitions: [partition] }], groups: [], queues: [], unread: [] });
  }
  return windows.status('desk', topic, 0);
}
