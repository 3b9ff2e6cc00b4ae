import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { UnavailableError } from '@millrace/core';
import { Broker } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';
import { type RedisCluster, type RedisServer, startCluster, stopEverything, waitFor } from '@millrace/testing';

describe('a client of its own that is asked for', () => {
  let cluster: RedisCluster;
  let connection: RedisConnection;
  beforeAll(async () => {
    cluster = await startCluster({ replicasPerMaster: 0 });
    connection = await new RedisConnection({ ...cluster.connection, connectTimeoutMs: 20_000 }).open();
  });
  afterAll(async () => {
    connection.close();
    await stopEverything();
  });

  const says = async (server: RedisServer, state: string): Promise<boolean> =>
    String(await server.client().call('CLUSTER', 'INFO')).includes(`cluster_state:${state}`);

  it('while the cluster is down is there when it is up again', async () => {
    // given a cluster that lacks a master
    const [lost, ...others] = cluster.masters;
    if (lost === undefined) throw new Error('three masters were asked for');
    await lost.kill();
    const areDown = async () => (await Promise.all(others.map((server) => says(server, 'fail')))).every(Boolean);
    await waitFor(areDown, { what: 'the others to notice' });

    // when
    const asked = connection.blocking('test');
    await lost.restart();

    // then
    expect(await (await asked).get('millrace:nothing')).toBeNull();
    const broker = new Broker(connection);
    await broker.declareQueue({ name: 'work' });
    const seen: unknown[] = [];
    await broker.consumer({ queue: 'work', handler: (value) => void seen.push(value) }).start();
    await broker.sendToQueue('work', 1);
    await waitFor(() => seen.length === 1, { what: 'the message' });
    await broker.close();
  });

  it('of a closed connection is refused: nothing would close it', async () => {
    // given
    const closed = await new RedisConnection(cluster.connection).open();
    closed.close();

    // when
    const asked = closed.blocking('test');

    // then
    await expect(asked).rejects.toThrow(UnavailableError);
  });
});
