import { afterAll, describe, expect, it } from '@jest/globals';
import { Log } from '@millrace/log';
import { Broker } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';
import { type RedisServer, startCluster, startRedis, stopEverything, waitFor } from '@millrace/testing';

/** The connections of our clients by what they are for, over all nodes. */
async function connections(servers: readonly RedisServer[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const server of servers) {
    const list = String(await server.client().call('CLIENT', 'LIST', 'TYPE', 'normal'));
    for (const [, use = ''] of list.matchAll(/ name=millrace:(\S+)/g)) counts[use] = (counts[use] ?? 0) + 1;
  }
  return counts;
}

async function useEverything(connection: RedisConnection): Promise<() => Promise<void>> {
  const [log, broker] = [new Log(connection), new Broker(connection)];
  await log.declareTopic({ name: 'orders', partitions: 12 });
  await log.producer().send({ topic: 'orders', value: 1 });
  const careful = log.producer({ acks: 'all', minReplicas: 1, replicaTimeoutMs: 10, deliveryTimeoutMs: 500 });
  await careful.send({ topic: 'orders', value: 1 }).catch(() => undefined);
  for (const group of ['a', 'b']) await log.consumer({ group, topics: 'orders', handler: () => undefined }).start();
  await broker.declare({ queues: [{ name: 'mail' }, { name: 'sms' }] });
  for (const queue of ['mail', 'mail', 'mail', 'sms']) await broker.consumer({ queue, handler: () => 'yes' }).start();
  await Promise.all(Array.from({ length: 20 }, () => broker.request('', 'sms', 'are you there?')));
  return async () => {
    await Promise.all([log.close(), broker.close()]);
    connection.close();
  };
}

/** What `useEverything` needs of blocking connections: one a group consumer, one a queue consumer, one for all replies. */
const onOneServer = { commands: 1, replicas: 1, fetch: 2, 'mail:wake': 3, 'sms:wake': 1, replies: 1 };

describe('the connections of a process', () => {
  afterAll(stopEverything);

  it('to one server are one, and one for each that waits: docs/operations.md counts them', async () => {
    const server = await startRedis();
    const close = await useEverything(await new RedisConnection(server.connection).open());
    expect(await connections([server])).toEqual(onOneServer);
    await close();
    await waitFor(async () => Object.keys(await connections([server])).length === 0, { what: 'all to be closed' });
  });

  it('to a cluster are one a master, and at most one a master for each that waits', async () => {
    const cluster = await startCluster({ replicasPerMaster: 0 });
    const close = await useEverything(await new RedisConnection(cluster.connection).open());
    const { commands = 0, replicas = 0, fetch = 0, ...waiting } = await connections(cluster.servers);
    expect(commands).toBe(3);
    expect(replicas).toBeLessThanOrEqual(3);
    // Partitions are in many slots: they are asked over the connections there are.
    expect(fetch).toBe(0);
    expect(Object.keys(waiting).sort()).toEqual(['mail:wake', 'replies', 'sms:wake']);
    for (const [use, count] of Object.entries(waiting)) {
      expect({ use, isBounded: count <= 3 * Number(new Map(Object.entries(onOneServer)).get(use)) }).toEqual({
        use,
        isBounded: true,
      });
    }
    await close();
  });
});
