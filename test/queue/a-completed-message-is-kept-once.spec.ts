import { afterAll, describe, expect, it } from '@jest/globals';
import { type Program, startProxy, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { onOneServer } from '../one-server.js';
import { openBroker, ownPrefix } from './broker.js';
import { spawnConsumer } from './consuming.js';

const keepCompleted = { count: 10_000 };
const count = 600;

describe('a message that was completed', () => {
  afterAll(stopEverything);

  it('is kept once, with its result, through kills of the processes that handle it', async () => {
    // given
    const server = await startRedis();
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'q', deliveryLimit: 1000, keepCompleted });
    const queue = broker.queue('q');
    const redis = server.client({ keyPrefix: `${prefix}:{queue:q}:` });
    const spawn = (): Promise<Program> =>
      spawnConsumer(server, prefix, 'q', { leaseMs: 3_600_000, concurrency: 20, prefetch: 40 });
    const running = await Promise.all([spawn(), spawn()]);
    // when: each is killed while it acknowledges what it has handled, and takes more
    for (let kill = 0; kill < 4; kill++) {
      const replacement = spawn();
      const victim = running[kill % 2];
      const before = victim?.lines.length ?? 0;
      await broker.publishBatch(
        Array.from({ length: count / 4 }, (_, index) => {
          const n = (kill * count) / 4 + index;
          return { exchange: '', routingKey: 'q', body: { n, waitMs: 5 + (n % 20), reply: { n } } };
        }),
      );
      await waitFor(() => (victim?.lines.length ?? 0) > before + 40, { what: 'the victim to be at work' });
      await victim?.kill();
      running[kill % 2] = await replacement;
    }
    // then: none is lost, and none is among the living
    await waitFor(async () => (await redis.hlen('messages')) === 0, { what: 'all to be handled', timeoutMs: 40_000 });
    const { messages } = await queue.completed({ limit: 10_000 });
    const payloads = messages.map((message) => (message.payload() as { n: number }).n);
    expect(payloads.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, n) => n));
    expect(messages.map(({ result }) => (result as { n: number }).n)).toEqual(payloads);
    expect(await redis.hlen('completed-messages')).toBe(count);
    await close();
  }, 120_000);

  it('is not kept by a consumer whose lease was lost meanwhile: what the other did counts', async () => {
    // given
    const server = await startRedis();
    const prefix = ownPrefix();
    const [stale, valid] = [await openBroker(server, prefix), await openBroker(server, prefix)];
    await stale.broker.declareQueue({ name: 'q', keepCompleted });
    const queue = valid.broker.queue('q');
    const redis = server.client({ keyPrefix: `${prefix}:{queue:q}:` });
    let hasEnded = false;
    const consumer = stale.broker.consumer({
      queue: 'q',
      handler: async () => {
        // when: its lease is over, and another completes the message before it does
        void consumer.pause();
        const [me = ''] = await redis.zrange('consumers', '0', '-1');
        await redis.zrem('consumers', me);
        await redis.zrem('idle', me);
        await redis.del(`unacked:${me}`);
        await redis.rpush('ready', String(await redis.hget('ids', 'm')));
        await valid.broker.consumer({ queue: 'q', handler: () => 'valid' }).start();
        await waitFor(async () => (await queue.message('m'))?.state === 'completed', { what: 'the other' });
        hasEnded = true;
        return 'stale';
      },
    });
    await consumer.start();
    await stale.broker.sendToQueue('q', 'work', { messageId: 'm' });
    await waitFor(() => hasEnded, { what: 'the stale one to end' });
    await stale.close();
    // then
    expect(await queue.counts()).toMatchObject({ completed: 1, ready: 0, unacked: 0 });
    expect(await queue.message('m')).toMatchObject({ state: 'completed', result: 'valid' });
    await valid.close();
  });

  it('is one that lives as long as it does, when a failover made it live again, and then one again', async () => {
    // given
    const server = await startRedis();
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'q', keepCompleted });
    const queue = broker.queue('q');
    const redis = server.client({ keyPrefix: `${prefix}:{queue:q}:` });
    const consume = async (result: string) => {
      const consumer = broker.consumer({ queue: 'q', handler: () => result });
      await consumer.start();
      return consumer;
    };
    await broker.sendToQueue('q', 'work', { messageId: 'm' });
    const [entry = ''] = await redis.lrange('ready', 0, -1);
    const frame = await redis.hgetBuffer('messages', entry);
    const first = await consume('first');
    await waitFor(async () => (await queue.counts()).completed === 1, { what: 'it to be completed' });
    await first.stop();
    // when
    await redis.hset('messages', entry, frame ?? '');
    await redis.hset('ids', 'm', entry);
    await redis.rpush('ready', entry);
    // then
    expect(await queue.message('m')).toMatchObject({ state: 'ready' });
    await consume('second');
    await waitFor(async () => (await queue.message('m'))?.result === 'second', { what: 'it to be completed again' });
    expect(await queue.counts()).toMatchObject({ completed: 1 });
    await close();
  });

  onOneServer('proxy').it('is kept once, though the reply to its acknowledgement was lost', async () => {
    // given
    const server = await startRedis();
    const proxy = await startProxy(server);
    const prefix = ownPrefix();
    const consuming = await openBroker({ connection: { url: `redis://127.0.0.1:${proxy.port}` } }, prefix);
    const { broker, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'q', keepCompleted });
    const queue = broker.queue('q');
    const handled: unknown[] = [];
    const handler = (payload: unknown) => {
      handled.push(payload);
      return `answer to ${payload}`;
    };
    await consuming.broker.consumer({ queue: 'q', handler }).start();
    const cut = proxy.cutBeforeReply('answer to it');
    // when
    await broker.sendToQueue('q', 'it');
    await cut;
    await broker.sendToQueue('q', 'another');
    // then
    await waitFor(async () => (await queue.counts()).completed === 2, { what: 'both to be completed' });
    expect(handled).toEqual(['it', 'another']);
    expect((await queue.completed()).messages.map(({ result }) => result)).toEqual([
      'answer to another',
      'answer to it',
    ]);
    await consuming.close();
    await close();
  });
});
