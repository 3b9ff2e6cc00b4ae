import { afterAll, describe, expect, it } from '@jest/globals';
import { startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

describe('a consumer whose lease was lost', () => {
  afterAll(stopEverything);

  it('overwrites neither the result nor the progress of the one that has its message now', async () => {
    // given
    const server = await startRedis();
    const prefix = ownPrefix();
    const [stale, valid] = [await openBroker(server, prefix), await openBroker(server, prefix)];
    await stale.broker.declareQueue({ name: 'q' });
    const redis = server.client({ keyPrefix: `${prefix}:{queue:q}:` });
    const kept = async () => (await valid.broker.queue('q').message('m'))?.result;
    const progress: unknown[] = [];
    await stale.broker
      .consumer({
        queue: 'q',
        keepResultMs: 60_000,
        handler: async (_, context) => {
          // when: its lease is over, and another handles the message, before it hears of that
          const [me = ''] = await redis.zrange('consumers', '0', '-1');
          await redis.zrem('consumers', me);
          await redis.zrem('idle', me);
          await redis.del(`unacked:${me}`);
          await redis.rpush('ready', 'm');
          const handler = () => 'valid';
          await valid.broker.consumer({ queue: 'q', keepResultMs: 60_000, handler }).start();
          await waitFor(async () => (await kept()) === 'valid', { what: 'the result of the other' });
          progress.push(await context.progress('stale'));
          return 'stale';
        },
      })
      .start();
    await stale.broker.sendToQueue('q', 'work', { messageId: 'm' });
    await waitFor(() => progress.length === 1, { what: 'the stale one to end' });
    // then: also when all that it sent has come to Redis
    await stale.close();
    expect(progress).toEqual([false]);
    expect(await kept()).toBe('valid');
    await valid.close();
  });
});
