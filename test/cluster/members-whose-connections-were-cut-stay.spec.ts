import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Log } from '@millrace/log';
import { RedisConnection } from '@millrace/redis';
import { type RedisCluster, type RedisServer, startCluster, stopEverything, waitFor } from '@millrace/testing';

describe('members of a group on a cluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(stopEverything);

  it('register their new connections after all were cut, so that no other member takes them for dead', async () => {
    // given two members, each of which knows the other by its connections
    const members = await Promise.all([1, 2].map(() => startMember(cluster)));
    await waitFor(async () => (await registered(cluster)).length === 2, { what: 'both to register their connections' });

    // when every connection to every master is cut
    const before = (await registered(cluster)).join();
    for (const master of cluster.masters) await master.client().call('CLIENT', 'KILL', 'TYPE', 'normal');

    // then they register the ones they have now, and Redis knows those
    await waitFor(
      async () => {
        const [now, alive] = await Promise.all([registered(cluster), living(cluster.masters)]);
        const ids = now.flatMap((json) => Object.entries(JSON.parse(json) as Record<string, number>));
        return ids.length > 0 && now.join() !== before && ids.every(([run, id]) => alive.has(`${run} ${id}`));
      },
      { what: 'both to register the connections they have now' },
    );
    expect(await registered(cluster)).toHaveLength(2);
    for (const close of members) await close();
  });
});

async function startMember(cluster: RedisCluster): Promise<() => Promise<void>> {
  const connection = await new RedisConnection(cluster.connection).open();
  const log = new Log(connection);
  await log.declareTopic({ name: 'orders', partitions: 4 });
  await log.consumer({ group: 'g', topics: 'orders', heartbeatMs: 100, handler: () => undefined }).start();
  return async () => {
    await log.close();
    connection.close();
  };
}

async function registered(cluster: RedisCluster): Promise<string[]> {
  const client = (await cluster.masterOf('millrace:{group:g}:presence')).client();
  return client.hvals('millrace:{group:g}:presence').catch(() => []);
}

/** Every connection there is: the run id of its server, and its number. */
async function living(servers: readonly RedisServer[]): Promise<Set<string>> {
  const found = servers.map(async (server) => {
    const client = server.client();
    const [info, list] = await Promise.all([client.info('server'), client.call('CLIENT', 'LIST')]);
    const run = /run_id:(\w+)/.exec(info)?.[1];
    return [...String(list).matchAll(/^id=(\d+)/gm)].map(([, id]) => `${run} ${id}`);
  });
  return new Set((await Promise.all(found)).flat());
}
