import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Broker, Requeue } from '@millrace/queue';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';
import { spawnConsumer } from './consuming.js';

/** Plenty: where a message has lost its priority, all of these come before it. */
const low = Array.from({ length: 20 }, (_, n) => `low ${n}`);

describe('a priority', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  /** A queue of two levels, and what a consumer that takes one message at a time does with it. */
  async function queueOfTwoLevels() {
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'q', priorities: 2 });
    const seen: unknown[] = [];
    const consume = async (react: (payload: unknown, time: number) => void = () => undefined) => {
      const consumer = broker.consumer({
        queue: 'q',
        concurrency: 1,
        prefetch: 1,
        retry: { maxRetries: 1, backoff: 1 },
        handler: (payload) => {
          seen.push(payload);
          react(payload, seen.filter((one) => one === payload).length);
        },
      });
      await consumer.start();
    };
    return { broker, prefix, close, seen, consume, redis: server.client({ keyPrefix: `${prefix}:{queue:q}:` }) };
  }

  const fill = (broker: Broker) =>
    broker.publishBatch(low.map((body) => ({ exchange: '', routingKey: 'q', body, properties: { priority: 0 } })));

  it('survives a delay', async () => {
    // given a message of high priority that is due, behind many of low priority
    const { broker, close, seen, consume, redis } = await queueOfTwoLevels();
    await broker.sendToQueue('q', 'high', { priority: 1, delayMs: 3_600_000 });
    await fill(broker);
    const [id = ''] = await redis.zrange('delayed', '0', '-1');
    await redis.zadd('delayed', 'XX', 1, id);
    // when they are handled one by one
    await consume();
    await waitFor(() => seen.length === low.length + 1, { what: 'all to be handled' });
    // then it waits for none but those that were taken before it was seen to be due
    expect(seen.indexOf('high')).toBeLessThan(low.length / 2);
    await close();
  });

  it.each([
    ['a requeue to the back', new Requeue('back')],
    ['a requeue to the head', new Requeue('head')],
    ['a retry', new Error('once more')],
  ])('survives %s', async (_, thrown) => {
    const { broker, close, seen, consume } = await queueOfTwoLevels();
    await fill(broker);
    await broker.sendToQueue('q', 'high', { priority: 1 });
    await consume((payload, time) => {
      if (payload === 'high' && time === 1) throw thrown;
    });
    await waitFor(() => seen.length === low.length + 2, { what: 'all to be handled' });
    expect(seen[0]).toBe('high');
    expect(seen.lastIndexOf('high')).toBeLessThan(low.length / 2);
    await close();
  });

  it('survives the death of the consumer that held the message', async () => {
    // given a process that holds a message of each level when it is killed, and one more of the high level that waits
    const { broker, prefix, close, seen, consume } = await queueOfTwoLevels();
    const victim = await spawnConsumer(server, prefix, 'q', { concurrency: 2, prefetch: 2 });
    await broker.sendToQueue('q', { hang: true, name: 'low' }, { priority: 0 });
    await broker.sendToQueue('q', { hang: true, name: 'high' }, { priority: 1 });
    await waitFor(() => victim.lines.filter((line) => line.startsWith('got')).length === 2, {
      what: 'both to be held',
    });
    await broker.sendToQueue('q', 'later, and high', { priority: 1 });
    await victim.kill();
    // when another takes one at a time
    await consume();
    await waitFor(() => seen.length === 3, { what: 'all to be handled' });
    // then those of the high level come first. The consumer that found the death may have taken the last one before
    const high = seen.indexOf('later, and high');
    expect(seen.filter((payload) => payload !== 'later, and high')).toMatchObject([{ name: 'high' }, { name: 'low' }]);
    expect(high).toBeLessThan(2);
    await close();
  });
});
