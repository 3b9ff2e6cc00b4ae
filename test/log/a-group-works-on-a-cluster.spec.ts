import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Log } from '@millrace/log';
import { RedisConnection } from '@millrace/redis';
import { type RedisCluster, startCluster, stopEverything, waitFor } from '@millrace/testing';
import { times } from './log-on-redis.js';

let cluster: RedisCluster;
const connections: RedisConnection[] = [];
beforeAll(async () => {
  cluster = await startCluster({ masters: 3, replicasPerMaster: 0 });
});
afterAll(async () => {
  for (const connection of connections) connection.close();
  await stopEverything();
});

async function openLog(): Promise<Log> {
  const nodes = cluster.masters.map(({ port }) => ({ host: '127.0.0.1', port }));
  const connection = await new RedisConnection({ cluster: { nodes } }).open();
  connections.push(connection);
  return new Log(connection);
}

describe('a group on a cluster', () => {
  it('shares partitions in every slot, hands them over, and keeps dead letters', async () => {
    // given six partitions over three nodes and two members
    const [first, second] = await Promise.all([openLog(), openLog()]);
    await first.declareTopic({ name: 'orders', partitions: 6 });
    const handled: number[] = [];
    const handler = (value: unknown): void => {
      if (value === 13) throw new Error('never');
      handled.push(Number(value));
    };
    const options = { group: 'cluster', topics: 'orders', retry: false as const, heartbeatMs: 50, handler };
    const [a, b] = [first.consumer(options), second.consumer(options)];
    await Promise.all([a.start(), b.start()]);
    await waitFor(() => a.assignment.length === 3 && b.assignment.length === 3, { what: 'two members to share' });

    // when records come, and one member leaves
    const producer = first.producer();
    await producer.sendBatch(times(60, (value) => ({ topic: 'orders', partition: value % 6, value })));
    await waitFor(() => handled.length === 59, { what: 'all but one record' });
    await a.stop();
    await producer.sendBatch(times(60, (value) => ({ topic: 'orders', partition: value % 6, value: 100 + value })));

    // then the other handles the rest, and nothing is missing
    await waitFor(() => handled.length === 119, { what: 'all but one record' });
    await b.stop();
    expect(new Set(handled).size).toBe(119);
    expect(await first.groups.lag('cluster')).toMatchObject(times(6, () => ({ lag: 0 })));
    expect(await first.redrive({ topic: 'orders.dead-letters', dryRun: true })).toMatchObject({ redriven: 1 });
    await Promise.all([first.close(), second.close()]);
  });
});
