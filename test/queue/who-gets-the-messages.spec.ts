import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

describe('of several consumers', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  it('the one with the higher priority gets the messages while it has room, then the others', async () => {
    // given
    const { broker, close } = await openBroker(server, ownPrefix());
    await broker.declareQueue({ name: 'q' });
    const by: string[] = [];
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const low = broker.consumer({ queue: 'q', priority: -1, handler: () => void by.push('low') });
    await low.start();
    let isHolding = false;
    const high = broker.consumer({
      queue: 'q',
      priority: 5,
      concurrency: 2,
      prefetch: 2,
      handler: () => {
        by.push('high');
        return isHolding ? held : undefined;
      },
    });
    await high.start();
    // when
    for (let n = 0; n < 20; n++) {
      await broker.sendToQueue('q', n);
      await waitFor(() => by.length === n + 1, { what: `message ${n}` });
    }
    // then
    expect(by.filter((who) => who === 'high').length).toBeGreaterThanOrEqual(18);
    isHolding = true;
    const before = by.length;
    for (let n = 0; n < 5; n++) await broker.sendToQueue('q', n);
    await waitFor(() => by.length === before + 5, { what: 'five more' });
    expect(by.slice(before).filter((who) => who === 'low').length).toBeGreaterThanOrEqual(3);
    release();
    await close();
  });

  it('only one is active where the queue says so, and the next takes over when it leaves', async () => {
    const { broker, close } = await openBroker(server, ownPrefix());
    await broker.declareQueue({ name: 'q', singleActiveConsumer: true });
    const by: string[] = [];
    const consumers = ['a', 'b', 'c'].map((name) =>
      broker.consumer({ queue: 'q', name, handler: () => void by.push(name) }),
    );
    for (const consumer of consumers) await consumer.start();
    for (let n = 0; n < 20; n++) await broker.sendToQueue('q', n);
    await waitFor(() => by.length === 20, { what: 'twenty by the first' });
    await consumers[0]?.stop();
    for (let n = 0; n < 20; n++) await broker.sendToQueue('q', n);
    await waitFor(() => by.length === 40, { what: 'twenty by the second' });
    expect(by).toEqual([...Array(20).fill('a'), ...Array(20).fill('b')]);
    await close();
  });

  it('none gets any while the queue is paused, and all do when it is resumed', async () => {
    const { broker, close } = await openBroker(server, ownPrefix());
    await broker.declareQueue({ name: 'q' });
    const seen: unknown[] = [];
    const consumer = broker.consumer({ queue: 'q', handler: (payload) => void seen.push(payload) });
    await consumer.start();
    await broker.queue('q').pause();
    expect(await broker.queue('q').isPaused()).toBe(true);
    for (let n = 0; n < 10; n++) await broker.sendToQueue('q', n);
    await waitFor(() => consumer.status.turn === 'paused', { what: 'the consumer to notice' });
    expect(seen).toEqual([]);
    await broker.queue('q').resume();
    await waitFor(() => seen.length === 10, { what: 'all ten' });
    await consumer.pause();
    await broker.sendToQueue('q', 'later');
    expect(consumer.status.state).toBe('paused');
    // A consumer that goes on has the message within the round trips of a look at the queue.
    for (let look = 0; look < 20; look++) expect(await broker.queue('q').counts()).toMatchObject({ unacked: 0 });
    expect(seen).not.toContain('later');
    consumer.resume();
    await waitFor(() => seen.length === 11, { what: 'the last' });
    await close();
  });
});
