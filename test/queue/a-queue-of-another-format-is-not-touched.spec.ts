import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, stopEverything } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

describe('a queue of another format', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  it.each([
    ['holds messages', 'messages'],
    ['is consumed from', 'consumers'],
  ])(
    'that is of the former one and %s is refused, with what to do, and taken over when it does no more',
    async (_, key) => {
      // given
      const prefix = ownPrefix();
      const { broker, close } = await openBroker(server, prefix);
      const redis = server.client({ keyPrefix: `${prefix}:{queue:q}:` });
      await redis.hset('meta', { name: 'q', paused: 1 });
      if (key === 'messages') await redis.hset(key, 'm', 'a frame');
      else await redis.zadd(key, Date.now(), '500.00000001.old');
      // then
      await expect(broker.declareQueue({ name: 'q' })).rejects.toThrow(
        /older Millrace.*let its consumers empty the queue/s,
      );
      expect(await redis.exists('meta', key)).toBe(2);
      expect(await redis.exists('settings', 'state')).toBe(0);
      // when it is empty
      await redis.del(key);
      await broker.declareQueue({ name: 'q' });
      // then it has the settings that were declared
      expect(await redis.exists('meta')).toBe(0);
      expect(await broker.queue('q').isPaused()).toBe(true);
      await broker.sendToQueue('q', 1);
      expect(await broker.queue('q').counts()).toMatchObject({ ready: 1 });
      await close();
    },
  );

  it('that is of a newer one is refused', async () => {
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    const redis = server.client({ keyPrefix: `${prefix}:{queue:q}:` });
    await redis.hset('settings', { format: 3, name: 'q' });
    await expect(broker.declareQueue({ name: 'q' })).rejects.toThrow(/newer Millrace.*upgrade this one/s);
    expect(await redis.hgetall('settings')).toEqual({ format: '3', name: 'q' });
    await close();
  });
});
