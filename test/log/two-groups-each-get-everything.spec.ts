import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '@millrace/testing';
import { LogOnRedis, times } from './log-on-redis.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

describe('two groups', () => {
  it('each get every record, and neither moves the other', async () => {
    // given two groups of two members each
    const topic = await redis.topic({ partitions: 4 });
    const seen = new Map<string, number[]>([
      ['mails', []],
      ['stock', []],
    ]);
    const members = [...seen].flatMap(([group, values]) =>
      times(2, () => redis.log.consumer({ group, topics: topic, handler: (value) => void values.push(Number(value)) })),
    );
    await Promise.all(members.map((member) => member.start()));

    // when a hundred records are written, and one group is stopped half-way
    const producer = redis.log.producer();
    await producer.sendBatch(times(50, (value) => ({ topic, key: `key-${value}`, value })));
    await waitFor(() => [...seen.values()].every((values) => values.length === 50), { what: 'the first half' });
    await Promise.all(members.slice(2).map((member) => member.stop()));
    await producer.sendBatch(times(50, (value) => ({ topic, key: `key-${value}`, value: 50 + value })));
    await waitFor(() => seen.get('mails')?.length === 100, { what: 'one group to have everything' });

    // then the other is behind by exactly what it missed, and gets it when it is back
    const behind = (await redis.log.groups.lag('stock')).reduce((sum, { lag }) => sum + lag, 0);
    expect(behind).toBe(50);
    const back = redis.log.consumer({
      group: 'stock',
      topics: topic,
      handler: (value) => void seen.get('stock')?.push(Number(value)),
    });
    await back.start();
    await waitFor(() => seen.get('stock')?.length === 100, { what: 'the other to have everything' });
    for (const values of seen.values()) expect([...values].sort((a, b) => a - b)).toEqual(times(100, (value) => value));
    await Promise.all([back, ...members].map((member) => member.stop()));
  });
});
