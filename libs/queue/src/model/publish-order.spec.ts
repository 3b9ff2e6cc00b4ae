import { describe, expect, it } from '@jest/globals';
import { encodeFrame, noProperties } from './message-frame.js';
import { inPublishOrder } from './publish-order.js';

const message = (id: string, timestamp: number, priority = 0) => ({
  id,
  frame: encodeFrame({
    ...{ id, timestamp, priority, codecId: 1, exchange: '', routingKey: 'q', headers: {}, properties: noProperties },
    body: Buffer.from('1'),
  }),
});

describe('the order in which messages were published', () => {
  it.each([
    [
      'is that of their times, whichever process published them',
      [message('b1', 1000), message('a1', 1001), message('b2', 1002)],
    ],
    ['is that of their counter within a ms', [message('pz', 1000), message('p10', 1000), message('p11', 1000)]],
    ['does not depend on who gave the id', [message('p1', 1000), message('.p2', 1000), message('p3', 1000)]],
    ['begins with the highest priority', [message('b', 1001, 9), message('a', 1000, 1), message('c', 1002)]],
    ['begins with what cannot be read', [{ id: 'x', frame: Buffer.from([9, 0, 0, 0, 0]) }, message('a', 1, 9)]],
  ])('%s', (_, messages) => {
    const ids = messages.map(({ id }) => id);
    expect(inPublishOrder(messages).map(({ id }) => id)).toEqual(ids);
    expect(inPublishOrder(messages.toReversed()).map(({ id }) => id)).toEqual(ids);
  });
});
