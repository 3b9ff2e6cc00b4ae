import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type FaultProxy, startProxy, waitFor } from '@millrace/testing';
import { onOneServer } from '../one-server.js';
import { LogOnRedis, times } from './log-on-redis.js';

onOneServer('proxy').describe('the records of one producer', () => {
  let redis: LogOnRedis;
  let proxy: FaultProxy;
  beforeAll(async () => {
    redis = await LogOnRedis.start();
    proxy = await startProxy(redis.server);
  });
  afterAll(() => redis.stop());

  it('keep their order in a partition, while the connection breaks again and again', async () => {
    // given
    const topic = await redis.topic({ partitions: 2 });
    const producer = (await redis.another({ url: proxy.url })).producer({ maxBatchBytes: 200 });
    let confirmed = 0;
    // when
    const sending = Promise.all(
      times(3000, async (value) => {
        await producer.send({ topic, key: `${value % 10}`, value });
        confirmed++;
      }),
    );
    for (const milestone of [100, 900, 1700, 2500]) {
      await waitFor(() => confirmed >= milestone, { what: `${milestone} confirmations`, intervalMs: 1 });
      proxy.cut();
    }
    await sending;
    // then
    const logs = [await redis.records<number>(topic, 0), await redis.records<number>(topic, 1)];
    for (const log of logs) {
      const values = log.map(({ value }) => value);
      expect(values).toEqual(values.toSorted((a, b) => a - b));
    }
    expect(logs.flat()).toHaveLength(3000);
  });

  it('keep it when their first sends wait for the topic and later ones do not', async () => {
    // given
    const topic = await redis.topic();
    const producer = (await redis.another()).producer({ lingerMs: 1 });
    // when
    const first = times(10, (value) => producer.send({ topic, value }));
    await first[0];
    await Promise.all([...first, ...times(10, (n) => producer.send({ topic, value: 10 + n }))]);
    // then
    expect((await redis.records(topic)).map(({ value }) => value)).toEqual(times(20, (n) => n));
  });

  it('keep it when Redis forgot every script in between', async () => {
    // given
    const topic = await redis.topic();
    const producer = redis.log.producer({ maxBatchBytes: 50 });
    const sent: Promise<unknown>[] = [];
    // when
    for (let value = 0; value < 200; value++) {
      sent.push(producer.send({ topic, value }));
      if (value % 50 === 0) sent.push(redis.admin.script('FLUSH'));
    }
    await Promise.all(sent);
    // then
    expect((await redis.records(topic)).map(({ value }) => value)).toEqual(times(200, (n) => n));
  });
});
