import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type FaultProxy, startProxy } from '@millrace/testing';
import { onOneServer } from '../one-server.js';
import { LogOnRedis, times } from './log-on-redis.js';

onOneServer('proxy').describe('a reply that is lost after the append', () => {
  let redis: LogOnRedis;
  let proxy: FaultProxy;
  beforeAll(async () => {
    redis = await LogOnRedis.start();
    proxy = await startProxy(redis.server);
  });
  afterAll(() => redis.stop());

  it('does not duplicate the record: it gets the offset it got the first time', async () => {
    // given
    const topic = await redis.topic();
    const producer = (await redis.another({ url: proxy.url })).producer();
    await producer.send({ topic, value: 'first' });
    // when
    const cut = proxy.cutBeforeReply(`${topic}:0}:records`);
    const sent = await producer.send({ topic, value: 'second' });
    await cut;
    await producer.send({ topic, value: 'third' });
    // then
    expect(sent.offset).toBe(1);
    expect((await redis.records(topic)).map(({ value }) => value)).toEqual(['first', 'second', 'third']);
  });

  it('does not duplicate or reorder any of several batches in flight', async () => {
    // given
    const topic = await redis.topic();
    const producer = (await redis.another({ url: proxy.url })).producer({ maxBatchBytes: 100 });
    await producer.send({ topic, value: -1 });
    // when
    const cuts = proxy.cutBeforeReply(`${topic}:0}:records`);
    const sent = await Promise.all(times(100, (value) => producer.send({ topic, value })));
    await cuts;
    // then
    expect(sent.map(({ offset }) => offset)).toEqual(times(100, (n) => n + 1));
    expect((await redis.records(topic)).map(({ value }) => value)).toEqual(times(101, (n) => n - 1));
  });

  it('duplicates without idempotence, which is why it is the default', async () => {
    // given
    const topic = await redis.topic();
    const producer = (await redis.another({ url: proxy.url })).producer({ idempotent: false });
    await producer.send({ topic, value: 'first' });
    // when
    const cut = proxy.cutBeforeReply(`${topic}:0}:records`);
    await producer.send({ topic, value: 'second' });
    await cut;
    // then
    expect((await redis.records(topic)).map(({ value }) => value)).toEqual(['first', 'second', 'second']);
  });
});
