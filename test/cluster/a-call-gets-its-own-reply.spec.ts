import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { asInteger, RedisConnection, runWithReplicas, Script } from '@millrace/redis';
import { type RedisCluster, type RedisServer, startCluster, stopEverything, waitFor } from '@millrace/testing';

const echo = new Script('return tonumber(ARGV[1])');
const demand = { minReplicas: 0, timeoutMs: 100, isOnDisk: false };

describe('calls that wait for replicas', () => {
  let cluster: RedisCluster;
  let connection: RedisConnection;
  beforeAll(async () => {
    cluster = await startCluster({ replicasPerMaster: 0, config: { 'cluster-require-full-coverage': 'no' } });
    connection = await new RedisConnection(cluster.connection).open();
  });
  afterAll(async () => {
    connection.close();
    await stopEverything();
  });

  it('get their own replies, whatever becomes of calls to nodes that are away', async () => {
    // given a key of each of three nodes, of which one is killed and one does not reply any more
    const [alive, dead, frozen] = cluster.masters as [RedisServer, RedisServer, RedisServer];
    const keyOf = async (server: RedisServer): Promise<string> => {
      for (let n = 0; ; n++) if ((await cluster.masterOf(`k${n}`)) === server) return `k${n}`;
    };
    const [there, away] = await Promise.all([keyOf(alive), keyOf(dead)]);
    const client = await connection.blocking('test');
    const call = async (key: string, n: number): Promise<number> =>
      asInteger((await runWithReplicas(client, echo, { keys: [key], args: [n] }, demand)).reply);
    for (const server of cluster.masters) await call(await keyOf(server), 0);
    await dead.kill();
    await frozen
      .client()
      .call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'no')
      .catch(() => undefined);
    await frozen.freeze();

    // when calls go simultaneously to the server that is there and to the one that is not
    const replies: [asked: number, answered: number][] = [];
    const round = async (n: number): Promise<void> => {
      const lost = [1, 2, 3].map(() => call(away, -1).catch(() => undefined));
      const kept = call(there, n).then((answer) => replies.push([n, answer]));
      await Promise.all([kept.catch(() => undefined), ...lost]);
    };
    const rounds = Promise.all(Array.from({ length: 30 }, (_, n) => round(n + 1)));
    await waitFor(() => replies.length === 30, { what: 'the calls to the node that is there', timeoutMs: 20_000 });

    // then each call gets its own reply
    expect(replies.filter(([asked, answered]) => asked !== answered)).toEqual([]);
    frozen.thaw();
    connection.release(client);
    await rounds;
  });
});
