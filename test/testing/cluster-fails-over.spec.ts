import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisCluster, startCluster, stopEverything, waitFor } from '@millrace/testing';

describe('a cluster of three masters and three replicas', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster({ password: 'secret' });
  });
  afterAll(stopEverything);

  it('serves all slots, each master with a replica of its own', async () => {
    const client = cluster.client();
    const keys = Array.from({ length: 12 }, (_, index) => `key ${index}`);
    await Promise.all(keys.map((key) => client.set(key, key)));
    const owners = await Promise.all(keys.map((key) => cluster.masterOf(key)));
    expect(new Set(owners)).toEqual(new Set(cluster.masters));
    for (const master of cluster.masters) expect(await cluster.replicasOf(master)).toHaveLength(1);
  });

  it('gives the slots of a killed master to its replica, and takes the master back as a replica', async () => {
    // given
    const client = cluster.client();
    const master = await cluster.masterOf('a key');
    const [replica] = await cluster.replicasOf(master);
    await client.set('a key', 'written');
    // when
    await master.kill();
    // then
    await waitFor(async () => (await cluster.masterOf('a key')) === replica, { what: 'the replica to take over' });
    await waitFor(async () => (await client.get('a key')) === 'written', { what: 'the client to find it' });
    // and when the old master comes back
    await master.restart();
    await cluster.waitUntilHealthy();
    await waitFor(async () => (await cluster.replicasOf(replica ?? master)).includes(master), {
      what: 'the old master to follow',
    });
  });

  it('also when the master only hangs', async () => {
    const master = await cluster.masterOf('another key');
    const [replica] = await cluster.replicasOf(master);
    await master.freeze();
    await waitFor(async () => (await cluster.masterOf('another key')) === replica, {
      what: 'the replica to take over',
    });
    master.thaw();
    await cluster.waitUntilHealthy();
  });
});
