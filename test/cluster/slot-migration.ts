import type { RedisCluster, RedisServer } from '@millrace/testing';
import { waitFor } from '@millrace/testing';

/** How many keys are moved at a time, so that a slot stands half here and half there for a while. */
const keysAStep = 2;

/** The slot of a key. */
export async function slotOf(cluster: RedisCluster, key: string): Promise<number> {
  return Number(await (await cluster.masterOf(key)).client().call('CLUSTER', 'KEYSLOT', key));
}

/** Moves the slot of a key to another master while it is in use, as `redis-cli --cluster reshard` does. Resolves to the number of keys that moved. */
export async function moveSlot(cluster: RedisCluster, key: string, betweenSteps: () => Promise<void>): Promise<number> {
  const from = await cluster.masterOf(key);
  const to = cluster.masters.find((master) => master !== from);
  if (to === undefined) throw new Error('there is no other master');
  const slot = String(await slotOf(cluster, key));
  const [source, target] = [from.client(), to.client()];
  const [fromId, toId] = await Promise.all([idOf(from), idOf(to)]);
  await target.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
  await source.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
  let moved = 0;
  for (;;) {
    const keys = (await source.call('CLUSTER', 'GETKEYSINSLOT', slot, keysAStep)) as string[];
    if (keys.length === 0) break;
    await source.call('MIGRATE', to.host, to.port, '', 0, 5000, 'KEYS', ...keys);
    moved += keys.length;
    await betweenSteps();
  }
  for (const server of [to, from, ...cluster.masters.filter((master) => master !== from && master !== to)]) {
    await server.client().call('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
  }
  await waitFor(async () => (await cluster.masterOf(key)) === to, { what: 'the slot to be known where it is' });
  return moved;
}

async function idOf(server: RedisServer): Promise<string> {
  return String(await server.client().call('CLUSTER', 'MYID'));
}
