import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { QueueDeclaration } from '@millrace/queue';
import { type RedisCluster, startCluster, stopEverything, waitFor } from '@millrace/testing';
import { drawFor } from '../../libs/queue/src/model/shards.js';
import { openBroker, ownPrefix } from './broker.js';

const shards = 3;

/** On a cluster, whose every master has a shard: what is promised in docs/topology.md of a queue that is too hot for one server. */
describe('a sharded queue with limits, on a cluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster({ replicasPerMaster: 0 });
  });
  afterAll(stopEverything);

  async function sharded(settings: Partial<QueueDeclaration>) {
    const prefix = ownPrefix();
    const opened = await openBroker(cluster, prefix);
    await opened.broker.declare({ queues: [{ name: 'q', shards, ...settings }, { name: 'dead' }] });
    const client = cluster.client();
    const lengths = () =>
      Promise.all(Array.from({ length: shards }, (_, n) => client.hlen(`${prefix}:{queue:q:${n}}:messages`)));
    /** A key for each shard, as publishers choose it. */
    const keyOf = async (shard: number): Promise<string> => {
      for (let n = 0; ; n++) {
        const before = await lengths();
        await opened.broker.sendToQueue('q', 'probe', { shardKey: `k${n}`, messageId: `probe${n}` });
        const found = (await lengths()).findIndex((length, index) => length > (before[index] ?? 0));
        await opened.broker.queue('q').cancel(`probe${n}`);
        if (found === shard) return `k${n}`;
      }
    };
    return { ...opened, prefix, lengths, keyOf };
  }

  it('holds maxLength in all, a third of it in each shard: one that is busier is full before the others', async () => {
    const { broker, lengths, keyOf, close } = await sharded({ maxLength: 10, overflow: 'reject-publish' });
    const shardKey = await keyOf(1);
    const outcomes = [];
    for (let n = 0; n < 5; n++) outcomes.push(await broker.sendToQueue('q', n, { shardKey }));
    expect(outcomes.map(({ refused }) => refused.length)).toEqual([0, 0, 0, 1, 1]);
    for (let n = 0; n < 20; n++) await broker.sendToQueue('q', n);
    expect(await lengths()).toEqual([3, 3, 3]);
    expect(await broker.queue('q').counts()).toMatchObject({ ready: 9 });
    await close();
  });

  it('holds maxBytes in all; what is too much goes to the dead letters', async () => {
    const body = 'x'.repeat(300);
    const { broker, lengths, close } = await sharded({
      maxBytes: 3000,
      overflow: 'dead-letter',
      deadLetter: { queue: 'dead' },
    });
    for (let n = 0; n < 20; n++) await broker.sendToQueue('q', body);
    await waitFor(async () => (await broker.queue('dead').counts()).ready === 11, { what: 'eleven dead letters' });
    expect(await lengths()).toEqual([3, 3, 3]);
    await close();
  });

  it('lets out no more than maxPerSecond in all', async () => {
    // given: of 30 per second each shard lets out 10, and 1 immediately
    const { broker, close } = await sharded({ maxPerSecond: 30 });
    await broker.publishBatch(Array.from({ length: 60 }, (_, body) => ({ exchange: '', routingKey: 'q', body })));
    const client = cluster.masters[0]?.client();
    const now = async () => {
      const [seconds = 0, micros = 0] = (await client?.time()) ?? [];
      return Number(seconds) + Number(micros) / 1e6;
    };
    // when
    const began = await now();
    const seen: unknown[] = [];
    await broker.consumer({ queue: 'q', handler: (value) => void seen.push(value) }).start();
    await waitFor(() => seen.length === 60, { what: 'all to be let out', timeoutMs: 20_000 });
    // then: by the clock of Redis
    expect(seen.length).toBeLessThanOrEqual(shards + ((await now()) - began) * 30);
    await close();
  });

  it('keeps the newest completed messages, a third of them in each shard', async () => {
    const { broker, close } = await sharded({ keepCompleted: { count: 9, ageMs: 3_600_000 } });
    const queue = broker.queue('q');
    const handled: unknown[] = [];
    const consumer = broker.consumer({ queue: 'q', handler: (n) => handled.push(n) && n });
    await consumer.start();
    for (let n = 0; n < 24; n++) await broker.sendToQueue('q', n, { messageId: `m${n}`, shardKey: `${n}` });
    const shardOf = (n: number) => drawFor(`${n}`) % shards;
    await waitFor(async () => handled.length === 24 && (await queue.counts()).unacked === 0, { what: 'all' });
    // then: of each shard the last three, the newest first, page by page
    const numbers = Array.from({ length: 24 }, (_, n) => n);
    const newest = Array.from({ length: shards }, (_, shard) => numbers.filter((n) => shardOf(n) === shard).slice(-3));
    const seen: unknown[] = [];
    let cursor: string | undefined;
    do {
      const page = await queue.completed({ limit: 2, cursor });
      seen.push(...page.messages.map(({ result }) => result));
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(seen).toHaveLength(9);
    expect(seen.toSorted()).toEqual(newest.flat().toSorted());
    expect(await queue.counts()).toMatchObject({ completed: 9 });
    const [last = 0] = newest[1]?.slice(-1) ?? [];
    expect(await queue.message(`m${last}`)).toMatchObject({ state: 'completed', result: last });
    expect(await queue.purgeCompleted()).toBe(9);
    await close();
  });

  it('lets messages expire in every shard', async () => {
    const { broker, lengths, close } = await sharded({ messageTtlMs: 50, deadLetter: { queue: 'dead' } });
    for (let n = 0; n < 9; n++) await broker.sendToQueue('q', n);
    await waitFor(async () => (await broker.queue('dead').counts()).ready === 9, { what: 'all to expire' });
    expect(await lengths()).toEqual([0, 0, 0]);
    await close();
  });

  it('expires as a whole when it was not used', async () => {
    const { broker, lengths, close } = await sharded({ idleExpiryMs: 500 });
    await broker.sendToQueue('q', 1, { shardKey: 'one' });
    const isGone = async () => (await broker.plan({ queues: [{ name: 'q', shards, idleExpiryMs: 500 }] })).length > 0;
    await waitFor(isGone, { what: 'the queue to go', timeoutMs: 20_000 });
    expect(await lengths()).toEqual([0, 0, 0]);
    await close();
  });

  it('has one active consumer a shard: each shard in order, and another takes over what it had', async () => {
    // given two consumers
    const { broker, prefix, keyOf, close } = await sharded({ singleActiveConsumer: true });
    const other = await openBroker(cluster, prefix);
    const keys = [await keyOf(0), await keyOf(1), await keyOf(2)];
    const seen: { shard: number; n: number; by: string }[] = [];
    const handler = (by: string) => (payload: unknown) =>
      void seen.push({ ...(payload as { shard: number; n: number }), by });
    const first = broker.consumer({ queue: 'q', handler: handler('first') });
    const second = other.broker.consumer({ queue: 'q', handler: handler('second') });
    await first.start();
    await second.start();
    const send = async (from: number) => {
      for (let n = from; n < from + 10; n++) {
        await Promise.all(keys.map((shardKey, shard) => broker.sendToQueue('q', { shard, n }, { shardKey })));
      }
      await waitFor(() => seen.length === 3 * (from + 10), { what: `${3 * (from + 10)} to be handled` });
    };
    // when
    await send(0);
    await first.stop();
    await send(10);
    // then
    expect(new Set(seen.slice(0, 30).map(({ by }) => by))).toEqual(new Set(['first']));
    expect(new Set(seen.slice(30).map(({ by }) => by))).toEqual(new Set(['second']));
    for (const shard of [0, 1, 2]) {
      expect(seen.filter((one) => one.shard === shard).map(({ n }) => n)).toEqual(
        Array.from({ length: 20 }, (_, n) => n),
      );
    }
    await other.close();
    await close();
  });

  it('delivers the higher priority first in each shard, not across them', async () => {
    const { broker, keyOf, close } = await sharded({ priorities: 3 });
    const keys = [await keyOf(0), await keyOf(1), await keyOf(2)];
    for (const priority of [0, 1, 2]) {
      for (const [shard, shardKey] of keys.entries()) {
        for (let n = 0; n < 3; n++) await broker.sendToQueue('q', { shard, priority }, { shardKey, priority });
      }
    }
    const seen: { shard: number; priority: number }[] = [];
    const handler = (payload: unknown) => void seen.push(payload as { shard: number; priority: number });
    await broker.consumer({ queue: 'q', prefetch: 9, concurrency: 1, handler }).start();
    await waitFor(() => seen.length === 27, { what: 'all to be handled' });
    for (const shard of [0, 1, 2]) {
      const order = seen.filter((one) => one.shard === shard).map(({ priority }) => priority);
      expect(order.slice(0, 3)).toEqual([2, 2, 2]);
    }
    await close();
  });
});
