import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type FaultProxy, type RedisServer, startProxy, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { onOneServer } from '../one-server.js';
import { openBroker, ownPrefix } from './broker.js';

onOneServer('proxy').describe('the prefetch of a consumer', () => {
  let server: RedisServer;
  let proxy: FaultProxy;
  beforeAll(async () => {
    server = await startRedis();
    proxy = await startProxy(server);
  });
  afterAll(stopEverything);

  it('holds also when Redis has forgotten the script that settles, and knows the one that takes', async () => {
    // given a consumer in the middle of two messages, with more waiting, on a slow network
    const prefix = ownPrefix();
    const { broker: other, connection, close } = await openBroker(server, prefix);
    const { broker, close: closeThrough } = await openBroker(proxy, prefix);
    await other.declare({ queues: [{ name: 'work' }, { name: 'else' }] });
    let begun = 0;
    const fails: (() => void)[] = [];
    const handler = (): Promise<void> => {
      begun++;
      return new Promise((_, reject) => fails.push(() => reject(new Error('on purpose'))));
    };
    const retry = { backoff: { kind: 'fixed', delayMs: 60_000 } } as const;
    const consumer = broker.consumer({ queue: 'work', prefetch: 2, concurrency: 2, retry, handler });
    await consumer.start();
    for (let n = 0; n < 10; n++) await other.sendToQueue('work', n);
    await waitFor(() => begun === 2, { what: 'both to begin' });
    const turning = other.consumer({ queue: 'else', handler: () => undefined });
    await turning.start();
    await server.client().script('FLUSH');
    await other.sendToQueue('else', 0);
    await waitFor(async () => (await other.queue('else').counts()).unacked === 0, { what: 'a turn of another' });
    await waitFor(() => turning.status.running === 0 && turning.status.held === 0, { what: 'it to be over' });
    proxy.delay(150);

    // when both fail
    for (const fail of fails.splice(0)) fail();

    // then what comes instead is never more than two, at any moment
    const seen = new Set<number>();
    const look = async (): Promise<boolean> => {
      seen.add(Number(await connection.commands.scard(`${prefix}:{queue:work}:unacked:${consumer.status.consumer}`)));
      return begun === 4;
    };
    await waitFor(look, { what: 'two others to begin', intervalMs: 5 });
    expect(Math.max(...seen)).toBeLessThanOrEqual(2);
    await proxy.restore();
    for (const fail of fails.splice(0)) fail();
    await Promise.all([consumer.stop({ deadlineMs: 2000 }), turning.stop()]);
    await Promise.all([closeThrough(), close()]);
  });

  it('holds also when a message is offered while a turn brings as many as there is room for', async () => {
    // given a consumer that is in the middle of one message and waits for another, on a slow network
    const prefix = ownPrefix();
    const { broker: other, connection, close } = await openBroker(server, prefix);
    const { broker, close: closeThrough } = await openBroker(proxy, prefix);
    await other.declareQueue({ name: 'work' });
    const ends: (() => void)[] = [];
    const seen: unknown[] = [];
    const handler = (value: unknown): Promise<void> => {
      seen.push(value);
      return new Promise((resolve) => ends.push(resolve));
    };
    const consumer = broker.consumer({ queue: 'work', prefetch: 2, concurrency: 2, handler });
    await consumer.start();
    const idle = async (): Promise<boolean> => (await connection.commands.zcard(`${prefix}:{queue:work}:idle`)) === 1;
    await waitFor(idle, { what: 'it to wait' });
    await other.sendToQueue('work', 0);
    await waitFor(async () => ends.length === 1 && (await idle()), { what: 'it to begin, and to wait for more' });
    proxy.delay(150);

    // when it ends that one, and three are published before its turn reaches Redis
    for (const end of ends.splice(0)) end();
    for (const value of [1, 2, 3]) await other.sendToQueue('work', value);

    // then it never holds more than two
    const held = new Set<number>();
    const look = async (): Promise<boolean> => {
      held.add(Number(await connection.commands.scard(`${prefix}:{queue:work}:unacked:${consumer.status.consumer}`)));
      held.add(consumer.status.held);
      if (ends.length === 2) for (const end of ends.splice(0)) end();
      return seen.length === 4;
    };
    await waitFor(look, { what: 'all to begin', intervalMs: 5 });
    expect(Math.max(...held)).toBeLessThanOrEqual(2);
    await proxy.restore();
    for (const end of ends.splice(0)) end();
    await consumer.stop({ deadlineMs: 2000 });
    await Promise.all([closeThrough(), close()]);
  });
});
