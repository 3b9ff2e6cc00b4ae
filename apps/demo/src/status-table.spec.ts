import { describe, expect, it } from '@jest/globals';
import type { Status } from './status.js';
import { statusLine, statusTable } from './status-table.js';

const status: Status = {
  topics: [
    {
      name: 'orders',
      partitions: 4,
      records: 312,
      perSecond: 3.96,
      groups: [
        { name: 'inventory', members: 1, lag: 2, lagMs: 140, perSecond: 4 },
        { name: 'order-desk', members: 1, lag: 0, lagMs: 0, perSecond: undefined },
      ],
    },
    { name: 'gps-fixes', partitions: 4, records: 0, perSecond: undefined, groups: [] },
  ],
  queues: [
    { name: 'notifications', waiting: 34, inHand: 1, delayed: 0, consumers: 1, oldestMs: 2300, perSecond: 15 },
    { name: 'order-news', waiting: 0, inHand: 0, delayed: 3, consumers: 1, oldestMs: undefined, perSecond: undefined },
  ],
  deadLetters: [
    { name: 'orders.dead-letters', count: 0 },
    { name: 'notifications.dead-letters', count: 1 },
  ],
};

describe('the table', () => {
  it('has a line for each group of a topic, and for each queue', () => {
    expect(statusTable(status, 200)).toEqual([
      'TOPIC      partitions  records  in/s  GROUP       members  lag  behind  out/s',
      'orders              4      312   4.0  inventory         1    2   0.1 s    4.0',
      '                                      order-desk        1    0   0.0 s      -',
      'gps-fixes           4        0     -  no group',
      '',
      'QUEUE          waiting  in hand  delayed  oldest  consumers  out/s',
      'notifications       34        1        0   2.3 s          1   15.0',
      'order-news           0        0        3       -          1      -',
      '',
      'DEAD LETTERS  notifications.dead-letters 1',
    ]);
  });

  it('is never wider than the terminal', () => {
    const lines = statusTable(status, 30);
    expect(Math.max(...lines.map((line) => line.length))).toBe(30);
    expect(lines[0]).toBe('TOPIC      partitions  record…');
  });

  it('is one line where there is no terminal', () => {
    expect(statusLine(status)).toBe(
      'topic orders 312 records, inventory lag 2, order-desk lag 0 | topic gps-fixes 0 records | ' +
        'queue notifications 34 waiting, 15.0/s out | queue order-news 0 waiting | dead letters notifications.dead-letters 1',
    );
  });

  it('says that nothing is there yet', () => {
    expect(statusTable({ topics: [], queues: [], deadLetters: [] }, 80)).toContain('DEAD LETTERS  none');
  });
});
