import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { UnavailableError } from '@millrace/core';
import { type FaultProxy, startProxy, waitFor } from '@millrace/testing';
import { onOneServer } from '../one-server.js';
import { LogOnRedis } from './log-on-redis.js';

describe('a member that starts', () => {
  let redis: LogOnRedis;
  let proxy: FaultProxy;
  beforeAll(async () => {
    redis = await LogOnRedis.start();
    proxy = await startProxy(redis.server);
  });
  afterAll(async () => {
    await redis.stop();
  });

  onOneServer('proxy').it(
    'says that Redis is away when its connection is cut meanwhile, and can be started again',
    async () => {
      // given
      const topic = await redis.topic();
      const log = await redis.another({ url: proxy.url });
      const seen: unknown[] = [];
      const consumer = log.consumer({ group: 'cut', topics: topic, handler: (value) => void seen.push(value) });

      // when the reply to its joining never comes
      const cut = proxy.cutBeforeReply('{group:cut}:members');
      const error: unknown = await consumer.start().catch((thrown: unknown) => thrown);
      await cut;

      // then it fails with an error of ours, and the next start works
      expect(error).toBeInstanceOf(UnavailableError);
      expect(error).toMatchObject({ message: expect.stringMatching(/start a member of group "cut".*Try again/) });
      await consumer.start();
      await redis.log.producer().send({ topic, value: 1 });
      await waitFor(() => seen.length === 1, { what: 'the record' });
    },
  );

  it('joins a full Redis too: it is there to drain it', async () => {
    // given records in a Redis that takes no more
    const topic = await redis.topic();
    await redis.log.producer().send({ topic, value: 'waits' });
    await redis.admin.config('SET', 'maxmemory', '1mb');
    await expect(redis.admin.set('x', 'y')).rejects.toThrow(/OOM/);

    // when the first member of a new group starts
    const seen: unknown[] = [];
    const log = await redis.another();
    const consumer = log.consumer({ group: 'full', topics: topic, handler: (value) => void seen.push(value) });
    await consumer.start();

    // then it handles what is there, and that is committed
    await waitFor(() => seen.length === 1, { what: 'the record' });
    await consumer.commit();
    expect(await redis.log.groups.lag('full')).toMatchObject([{ lag: 0 }]);
    expect(await redis.log.groups.list()).toContain('full');
  });
});
