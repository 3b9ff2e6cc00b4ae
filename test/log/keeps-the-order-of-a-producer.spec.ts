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

  it('keep it when the first waits for what is not known yet, and later ones need not', async () => {
    // given a producer that knows none of the topics, the first of which it will know before the others
    const topics = await Promise.all(times(5, () => redis.topic()));
    const [topic = ''] = topics;
    const producer = (await redis.another()).producer();
    let isSent = false;
    const first = producer.sendBatch(topics.map((each) => ({ topic: each, value: 0 }))).then(() => {
      isSent = true;
    });
    // when others come for that one, in every turn of the event loop until then
    const later: Promise<unknown>[] = [];
    while (!isSent) {
      later.push(producer.send({ topic, value: later.length + 1 }));
      await new Promise(setImmediate);
    }
    await Promise.all([first, ...later]);
    // then
    expect((await redis.records(topic)).map(({ value }) => value)).toEqual(times(later.length + 1, (n) => n));
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
