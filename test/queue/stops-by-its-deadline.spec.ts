import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { endsWithin } from '@millrace/core';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

/** Far beyond the deadlines that are given here, and less than the one that a stop has by default, 10 s. */
const inTime = (stop: Promise<void>): Promise<boolean> => endsWithin(stop, 6000);

describe('stopping a consumer', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  it('ends by its deadline with a handler that never ends, and gives the message to another', async () => {
    // given
    const { broker, close } = await openBroker(server, ownPrefix());
    await broker.declareQueue({ name: 'q' });
    let reason: unknown;
    let isStarted = false;
    const stuck = broker.consumer({
      queue: 'q',
      concurrency: 1,
      prefetch: 5,
      handler: (_, { signal }) => {
        isStarted = true;
        signal.addEventListener('abort', () => {
          reason = signal.reason;
        });
        return new Promise(() => undefined);
      },
    });
    await stuck.start();
    for (let n = 0; n < 5; n++) await broker.sendToQueue('q', n);
    await waitFor(() => isStarted && stuck.status.held === 5, { what: 'one to run and four to wait' });
    // One that was handed over is claimed a moment later.
    await waitFor(async () => (await broker.queue('q').counts()).unacked === 5, { what: 'all to be claimed' });
    // when
    const isInTime = await inTime(stuck.stop({ deadlineMs: 300 }));
    // then
    expect(isInTime).toBe(true);
    expect(stuck.status.state).toBe('stopped');
    expect(reason).toMatchObject({ name: 'ClosedError' });
    const seen: [unknown, number][] = [];
    await broker
      .consumer({ queue: 'q', concurrency: 1, handler: (n, { deliveryCount }) => void seen.push([n, deliveryCount]) })
      .start();
    await waitFor(() => seen.length === 5, { what: 'another to handle all five' });
    expect(seen).toEqual([0, 1, 2, 3, 4].map((n) => [n, 0]));
    await close();
  });

  it('lets a handler end that needs a while, and settles what it did', async () => {
    // given a handler at work
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'q' });
    const happened: string[] = [];
    let release = (): void => undefined;
    const consumer = broker.consumer({
      queue: 'q',
      handler: async (_, { signal }) => {
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        happened.push(signal.aborted ? 'handled in vain' : 'handled');
      },
    });
    await consumer.start();
    await broker.sendToQueue('q', 1);
    await waitFor(() => consumer.status.running === 1, { what: 'the handler to run' });
    // when it ends 300 ms after the stop began
    const begunAt = performance.now();
    const stopped = consumer.stop({ deadlineMs: 10_000 }).then(() => happened.push('stopped'));
    await waitFor(() => performance.now() > begunAt + 300, { what: '300 ms to pass' });
    release();
    await stopped;
    // then the stop waited for it, and its message is settled
    expect(happened).toEqual(['handled', 'stopped']);
    expect(await server.client().hlen(`${prefix}:{queue:q}:messages`)).toBe(0);
    await close();
  });

  it('ends when Redis has what was handled, though it refused it at first', async () => {
    // given a handler at work, and a Redis that refuses turns over a connection that is up
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'q' });
    let release = (): void => undefined;
    const handler = () =>
      new Promise<void>((resolve) => {
        release = resolve;
      });
    const consumer = broker.consumer({ queue: 'q', handler });
    await consumer.start();
    await broker.sendToQueue('q', 1);
    const unacked = `${prefix}:{queue:q}:unacked:`;
    await waitFor(async () => (await server.client().keys(`${unacked}*`)).length === 1, { what: 'the claim' });
    const [key = ''] = await server.client().keys(`${unacked}*`);
    await server.client().rename(key, `${key}-aside`);
    await server.client().set(key, 'no set');
    const refusals: unknown[] = [];
    broker.events.on('background-error', ({ error }) => refusals.push(error));
    // when it is stopped, and a turn after that succeeds
    const stopped = consumer.stop({ deadlineMs: 20_000 });
    release();
    await waitFor(() => refusals.length >= 3, { what: 'turns that fail' });
    await server.client().rename(`${key}-aside`, key);
    const mendedAt = performance.now();
    await stopped;
    // then the stop does not wait for its deadline
    expect(performance.now() - mendedAt).toBeLessThan(10_000);
    expect(await server.client().hlen(`${prefix}:{queue:q}:messages`)).toBe(0);
    await close();
  });

  it('ends by its deadline while Redis is gone or frozen', async () => {
    // given
    const own = await startRedis();
    const patient = { connection: { ...own.connection, commandTimeoutMs: 60_000 } };
    const { broker, close } = await openBroker(patient, ownPrefix());
    await broker.declareQueue({ name: 'q' });
    const consumers = await Promise.all(
      [1, 2].map(async () => {
        const consumer = broker.consumer({ queue: 'q', handler: () => new Promise(() => undefined) });
        await consumer.start();
        return consumer;
      }),
    );
    await broker.publishBatch([1, 2, 3, 4].map((body) => ({ exchange: '', routingKey: 'q', body })));
    await waitFor(() => consumers.some(({ status }) => status.running > 0), { what: 'handlers to run' });
    // when
    await own.freeze();
    const [first, second] = consumers.map((consumer) => () => inTime(consumer.stop({ deadlineMs: 200 })));
    const whileFrozen = await first?.();
    await own.kill();
    const whileGone = await second?.();
    // then
    expect({ whileFrozen, whileGone }).toEqual({ whileFrozen: true, whileGone: true });
    expect(consumers.map(({ status }) => status.state)).toEqual(['stopped', 'stopped']);
    await close();
  });
});
