import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

describe('a consumer that is paused', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  it('ends what it holds, takes nothing more, and goes on where it was when it is resumed', async () => {
    // given a consumer in the middle of a message
    const { broker, close } = await openBroker(server, ownPrefix());
    await broker.declareQueue({ name: 'q' });
    const begun: unknown[] = [];
    const ends: (() => void)[] = [];
    const consumer = broker.consumer({
      queue: 'q',
      concurrency: 1,
      prefetch: 1,
      handler: (payload) => {
        begun.push(payload);
        return new Promise<void>((resolve) => ends.push(resolve));
      },
    });
    await consumer.start();
    await broker.sendToQueue('q', 'running');
    await waitFor(() => begun.length === 1, { what: 'the first to be begun' });

    // when it is paused, and more comes
    const paused = consumer.pause();
    expect(consumer.status.state).toBe('paused');
    await broker.sendToQueue('q', 'waiting');
    ends[0]?.();
    await paused;

    // then the running one is settled, and the other waits, for others too
    await waitFor(async () => (await broker.queue('q').counts()).unacked === 0, { what: 'the first to be settled' });
    expect(begun).toEqual(['running']);
    const others: unknown[] = [];
    const other = broker.consumer({ queue: 'q', handler: (payload) => void others.push(payload) });
    await other.start();
    await waitFor(() => others.length === 1, { what: 'another to take it' });
    await other.stop();

    // when it is resumed
    await broker.sendToQueue('q', 'next');
    expect(begun).toEqual(['running']);
    consumer.resume();
    await waitFor(() => begun.length === 2, { what: 'the next to be begun' });
    expect(begun).toEqual(['running', 'next']);
    expect(consumer.status.state).toBe('running');
    ends[1]?.();
    await close();
  });

  it('can be stopped, and does not begin by being resumed then', async () => {
    const { broker, close } = await openBroker(server, ownPrefix());
    await broker.declareQueue({ name: 'q' });
    const seen: unknown[] = [];
    const consumer = broker.consumer({ queue: 'q', handler: (payload) => void seen.push(payload) });
    await consumer.start();
    await consumer.pause();
    await broker.sendToQueue('q', 1);
    await consumer.stop();
    consumer.resume();
    expect(consumer.status.state).toBe('stopped');
    expect(await broker.queue('q').counts()).toMatchObject({ ready: 1, unacked: 0, consumers: 0 });
    expect(seen).toEqual([]);
    await close();
  });
});
