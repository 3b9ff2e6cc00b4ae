import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';
import { spawnConsumer } from './consuming.js';

describe("a dead consumer's messages", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  it('are handled by another, long before its lease is over, when its process was killed', async () => {
    // given: a process that takes five messages with its first turn and will never end them, and another that waits; leases of an hour
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'q' });
    for (let n = 0; n < 5; n++) await broker.sendToQueue('q', { n, hang: true });
    const victim = await spawnConsumer(server, prefix, 'q', { leaseMs: 3_600_000, concurrency: 5 });
    await waitFor(() => victim.lines.filter((line) => line.startsWith('got')).length === 5, {
      what: 'five to be held',
    });
    const seen: { payload: unknown; deliveryCount: number; redelivered: boolean; attempt: number }[] = [];
    const consumer = broker.consumer({
      queue: 'q',
      leaseMs: 3_600_000,
      handler: (payload, { deliveryCount, redelivered, attempt }) => {
        seen.push({ payload, deliveryCount, redelivered, attempt });
      },
    });
    await consumer.start();
    // when
    await victim.kill();
    // then
    await waitFor(() => seen.length === 5, { what: 'the five to be handled elsewhere' });
    expect(seen.map(({ payload }) => (payload as { n: number }).n).sort()).toEqual([0, 1, 2, 3, 4]);
    expect(seen.every((one) => one.deliveryCount === 1 && one.redelivered && one.attempt === 1)).toBe(true);
    await close();
  });

  it('are handled by another when its lease is over, when its host has frozen; and when it thaws it cannot settle', async () => {
    // given a process that holds two messages: it never ends one, and the other as soon as it thaws
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'q' });
    const frozen = await spawnConsumer(server, prefix, 'q', { leaseMs: 600, concurrency: 2 });
    await broker.sendToQueue('q', { hang: true }, { messageId: 'm' });
    await broker.sendToQueue('q', { waitMs: 2000 }, { messageId: 'n' });
    for (const id of ['m', 'n']) await frozen.waitForLine(`got ${id}`);
    // when
    await frozen.freeze();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const attempts: number[] = [];
    const consumer = broker.consumer({
      queue: 'q',
      leaseMs: 10_000,
      concurrency: 2,
      handler: (_, context) => {
        attempts.push(context.deliveryCount);
        return held;
      },
    });
    await consumer.start();
    await waitFor(() => attempts.length === 2, { what: 'the messages to be handled by another' });
    const waitedUntil = performance.now() + 2000;
    await waitFor(() => performance.now() > waitedUntil, { what: 'the time of the second handler' });
    frozen.thaw();
    // then: it emits lease-lost, its handler's signal is aborted, and the messages stay with the other
    await frozen.waitForLine('done n');
    await frozen.waitForLine('lease-lost');
    await frozen.waitForLine('aborted LeaseLostError');
    const counts = () => broker.queue('q').counts();
    expect(await counts()).toMatchObject({ ready: 0, unacked: 2 });
    release();
    await waitFor(async () => (await counts()).unacked === 0, { what: 'the other to settle them' });
    expect(attempts).toEqual([1, 1]);
    await frozen.stop();
    await close();
  });

  it('are dead-lettered when each consumer that takes one dies of it', async () => {
    // given
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'q', deliveryLimit: 2 });
    const healthy: unknown[] = [];
    const watching = broker.consumer({
      queue: 'q',
      priority: -1,
      maxPerSecond: 1,
      handler: (payload) => void healthy.push(payload),
    });
    watching.pause();
    await watching.start();
    await broker.sendToQueue('q', { die: true });
    // when
    for (let death = 0; death < 3; death++) {
      const victim = await spawnConsumer(server, prefix, 'q', { concurrency: 1 });
      await victim.exited;
    }
    // then
    const dead: unknown[] = [];
    const redis = server.client();
    await waitFor(async () => (await redis.hlen(`${prefix}:{queue:q.dead-letters}:messages`)) === 1, {
      what: 'a dead letter',
    });
    const undertaker = broker.consumer({
      queue: 'q.dead-letters',
      handler: (payload, { deaths }) => void dead.push(payload, deaths[0]?.reason, deaths[0]?.queue),
    });
    await undertaker.start();
    await broker.sendToQueue('q', { fine: true });
    watching.resume();
    await waitFor(() => dead.length > 0 && healthy.length === 1, { what: 'the dead letter and the other message' });
    expect(dead).toEqual([{ die: true }, 'delivery_limit', 'q']);
    expect(healthy).toEqual([{ fine: true }]);
    await close();
  });

  it('wait for the next consumer when there is no other, and are not down as held', async () => {
    // given: the only consumer of a queue
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'q' });
    const victim = await spawnConsumer(server, prefix, 'q', { leaseMs: 600 });
    await broker.sendToQueue('q', { hang: true }, { messageId: 'm' });
    await victim.waitForLine('got m');
    // when
    await victim.kill();
    // then
    const counts = () => broker.queue('q').counts();
    await waitFor(async () => (await counts()).unacked === 0, { what: 'it to be given back', timeoutMs: 30_000 });
    expect(await counts()).toMatchObject({ ready: 1, consumers: 0 });
    await close();
  });
});
