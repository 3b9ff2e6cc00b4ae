import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WriteError } from '@millrace/core';
import { waitFor } from '@millrace/testing';
import { LogOnRedis, times } from './log-on-redis.js';

describe('a full Redis', () => {
  let redis: LogOnRedis;
  beforeAll(async () => {
    redis = await LogOnRedis.start({ maxmemory: '6mb' });
  });
  afterAll(() => redis.stop());

  it('refuses in bounded time, says that nothing was written, and loses nothing that was confirmed', async () => {
    // given
    const topic = await redis.topic();
    const producer = redis.log.producer({ deliveryTimeoutMs: 1500 });
    const confirmed: number[] = [];
    let refused: unknown;
    // when
    for (let value = 0; value < 200 && refused === undefined; value++) {
      const sent = producer.send({ topic, value: `${value}:${'x'.repeat(100_000)}` });
      refused = await sent.then(
        ({ offset }) => void confirmed.push(offset),
        (error: unknown) => error,
      );
    }
    // then
    expect(refused).toBeInstanceOf(WriteError);
    expect(refused).toMatchObject({ failure: 'full', mayBeWritten: false });
    const values = (await redis.records<string>(topic)).map(({ value }) => Number.parseInt(value, 10));
    expect(values).toEqual(times(confirmed.length, (n) => n));
    expect(confirmed).toEqual(values);
  });

  it('drains by retention while it is full, and what waited for room is written then', async () => {
    // given
    const topic = await redis.topic();
    const filler = redis.log.producer({ deliveryTimeoutMs: 1500 });
    const fill = { topic, value: 'x'.repeat(50_000) };
    while (await filler.send(fill).then(Boolean, () => false));
    const end = await redis.log.endOffset(topic, 0);
    // when room is made after it was refused
    const refusals = async () => {
      const counts = [...(await redis.admin.info('errorstats')).matchAll(/errorstat_OOM:count=(\d+)/g)];
      return counts.reduce((sum, [, count]) => sum + Number(count), 0);
    };
    // So that it is full for a small record too, also when it has freed its buffers.
    await redis.admin.config('SET', 'maxmemory', '5mb');
    const before = await refusals();
    const waiting = redis.log.producer({ deliveryTimeoutMs: 20_000 }).send({ topic, value: 'waits' });
    await waitFor(async () => (await refusals()) > before, { what: 'it to be refused' });
    await redis.log.deleteRecords(topic, 0, end);
    for (const { name } of await redis.log.listTopics()) {
      if (name !== topic) await redis.log.deleteRecords(name, 0, 1_000_000);
    }
    // then
    expect(await waiting).toMatchObject({ offset: end });
  });
});
