import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { MessageContext } from '@millrace/queue';
import { startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';
import { spawnConsumer } from './consuming.js';

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
    const consumer = stale.broker.consumer({
      queue: 'q',
      keepResultMs: 60_000,
      handler: async (_, context) => {
        // when: its lease is over, and another handles the message, before it notices; if it notices all the same it
        // registers again, and is not to be the other
        void consumer.pause();
        const [me = ''] = await redis.zrange('consumers', '0', '-1');
        await redis.zrem('consumers', me);
        await redis.zrem('idle', me);
        await redis.del(`unacked:${me}`);
        await redis.rpush('ready', String(await redis.hget('ids', 'm')));
        const handler = () => 'valid';
        await valid.broker.consumer({ queue: 'q', keepResultMs: 60_000, handler }).start();
        await waitFor(async () => (await kept()) === 'valid', { what: 'the result of the other' });
        progress.push(await context.progress('stale'));
        return 'stale';
      },
    });
    await consumer.start();
    await stale.broker.sendToQueue('q', 'work', { messageId: 'm' });
    await waitFor(() => progress.length === 1, { what: 'the stale one to end' });
    // then: also when all that it sent has come to Redis
    await stale.close();
    expect(progress).toEqual([false]);
    expect(await kept()).toBe('valid');
    await valid.close();
  });

  /** A process that blocks in its handler beyond its lease, until `goOn`, while another consumer has its message. */
  async function overtaken(payload: Record<string, unknown>) {
    const server = await startRedis();
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'q' });
    const stale = await spawnConsumer(server, prefix, 'q', { leaseMs: 500 });
    const blockUntil = join(mkdtempSync(join(tmpdir(), 'millrace-')), 'go-on');
    const answer = broker.request('', 'q', { ...payload, blockUntil }, { messageId: 'm', timeoutMs: 60_000 });
    answer.catch(() => undefined);
    await stale.waitForLine('got m');
    let end = (): void => undefined;
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    const progress: boolean[] = [];
    const handler = async (_: unknown, context: MessageContext) => {
      progress.push(await context.progress('valid'));
      await over;
      return 'valid';
    };
    await broker.consumer({ queue: 'q', handler }).start();
    await waitFor(() => progress.length === 1, { what: 'the message to come to the other', timeoutMs: 20_000 });
    expect(progress).toEqual([true]);
    return { broker, stale, answer, end, close, goOn: () => writeFileSync(blockUntil, '') };
  }

  it.each([
    ['its reply', { reply: 'stale' }],
    ['its failure', { fail: 'stale' }],
  ])('answers the request in place of the other neither: %s', async (_, payload) => {
    // given
    const { stale, answer, end, close, goOn } = await overtaken(payload);
    // when: it ends before it can have heard of its loss, and all that it sends has come to Redis
    goOn();
    await stale.waitForLine('done m');
    await stale.waitForLine('lease-lost');
    process.kill(stale.pid ?? 0, 'SIGTERM');
    await stale.waitForLine('stopped');
    // then
    end();
    expect(await answer).toBe('valid');
    await close();
  });

  it('publishes no progress of a message that is no longer its own', async () => {
    // given
    const { broker, stale, answer, end, close, goOn } = await overtaken({ progress: 'stale' });
    // when
    goOn();
    // then
    await stale.waitForLine('progress false');
    expect((await broker.queue('q').message('m'))?.progress).toBe('valid');
    end();
    expect(await answer).toBe('valid');
    await close();
  });
});
