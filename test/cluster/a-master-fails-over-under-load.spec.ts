import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Log } from '@millrace/log';
import { Broker } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';
import { type RedisCluster, startCluster, stopEverything, waitFor } from '@millrace/testing';

describe('while the master of a busy slot is lost', () => {
  let cluster: RedisCluster;
  let connection: RedisConnection;
  beforeAll(async () => {
    cluster = await startCluster();
    connection = await new RedisConnection(cluster.connection).open();
  });
  afterAll(async () => {
    connection.close();
    await stopEverything();
  });

  it("what acks: 'all' confirmed is handled, in the order of its keys", async () => {
    // given
    const log = new Log(connection);
    await log.declareTopic({ name: 'orders' });
    const handled: number[] = [];
    const handler = (value: unknown) => void handled.push(Number(value));
    const options = { group: 'g', topics: 'orders', ordering: 'partition', heartbeatMs: 100, leaseMs: 3000 } as const;
    await log.consumer({ ...options, handler }).start();
    const producer = log.producer({ acks: 'all', minReplicas: 1, deliveryTimeoutMs: 25_000 });
    let sent = 0;
    const confirmed = new Set<number>();
    const send = async (value: number) => {
      await producer.send({ topic: 'orders', partition: 0, value });
      confirmed.add(value);
    };
    const burst = () => Promise.allSettled(Array.from({ length: 10 }, () => send(sent++)));
    await burst();
    // when: the master dies with sends under way, whose node then has no replica
    const master = await cluster.masterOf('millrace:{log:orders:0}:records');
    const sending = Promise.all([burst(), burst()]);
    await master.kill();
    await waitFor(async () => (await cluster.masterOf('millrace:{log:orders:0}:records')) !== master, {
      what: 'the replica to take over',
      timeoutMs: 20_000,
    });
    await master.restart();
    await sending;
    await burst();
    // then: at most what was never confirmed is missing
    expect(confirmed.size).toBeGreaterThan(10);
    const isAllHandled = () => [...confirmed].every((value) => handled.includes(value));
    await waitFor(isAllHandled, { what: `${confirmed.size} confirmed records to be handled`, timeoutMs: 20_000 });
    const first = [...new Set(handled)];
    expect(first).toEqual(first.toSorted((a, b) => a - b));
    await log.close();
  });

  it("a queue's messages that were confirmed are handled, when a replica takes over orderly", async () => {
    // given
    const broker = new Broker(connection, { deliveryTimeoutMs: 25_000 });
    await broker.declareQueue({ name: 'mail' });
    const handled = new Set<unknown>();
    await broker.consumer({ queue: 'mail', handler: (value) => void handled.add(value) }).start();
    const publish = (from: number) =>
      Promise.all(Array.from({ length: 20 }, (_, n) => broker.sendToQueue('mail', from + n)));
    await publish(0);
    // when
    const key = 'millrace:{queue:mail}:settings';
    const master = await cluster.masterOf(key);
    const [replica] = await cluster.replicasOf(master);
    const publishing = [publish(20)];
    await replica?.client().call('CLUSTER', 'FAILOVER');
    await waitFor(
      async () => {
        publishing.push(publish(publishing.length * 20 + 20));
        return (await cluster.masterOf(key)) === replica;
      },
      { what: 'the replica to take over', timeoutMs: 20_000, intervalMs: 100 },
    );
    publishing.push(publish(publishing.length * 20 + 20));
    await Promise.all(publishing);
    // then
    const count = (publishing.length + 1) * 20;
    await waitFor(() => handled.size === count, { what: `${count} messages to be handled`, timeoutMs: 20_000 });
    await broker.close();
  });
});
