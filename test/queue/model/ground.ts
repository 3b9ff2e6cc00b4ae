import { type RedisServer, startCluster, startRedis, waitFor } from '@millrace/testing';
import { ServerOnCluster } from '../../cluster/server-on-cluster.js';

/** What the queue of a model stands on, and what is done to it: one server, or a cluster where the suites run on one. */
export interface Ground {
  readonly server: RedisServer;
  /** Whether there are slots to be moved. */
  readonly hasSlots: boolean;
  /** The server of a key dies and comes back with all that it had; in a cluster its replica takes over. */
  failOver(key: string): Promise<void>;
  /** Moves the slot of a key to another master, while clients go on. */
  moveSlot(key: string): Promise<void>;
}

export function startGround(): Promise<Ground> {
  return process.env.MILLRACE_TEST_ON === 'cluster' ? onCluster() : onOneServer();
}

async function onOneServer(): Promise<Ground> {
  const server = await startRedis({ aof: 'always' });
  return {
    server,
    hasSlots: false,
    failOver: async () => {
      await server.kill();
      await server.restart();
    },
    moveSlot: () => Promise.reject(new Error('one server has no slots')),
  };
}

async function onCluster(): Promise<Ground> {
  const cluster = await startCluster();
  return {
    server: new ServerOnCluster(cluster) as object as RedisServer,
    hasSlots: true,
    failOver: async (key) => {
      const master = await cluster.masterOf(key);
      const tookOver = async () => {
        if ((await cluster.masterOf(key)) !== master) return true;
        // It takes over when it has all that its master has. Asked right after another failover it may give up.
        const [replica] = await cluster.replicasOf(master);
        await replica
          ?.client()
          .call('CLUSTER', 'FAILOVER')
          .catch(() => undefined);
        return false;
      };
      await waitFor(tookOver, { what: 'a replica to take over', timeoutMs: 30_000, intervalMs: 200 });
      await cluster.waitUntilHealthy();
    },
    moveSlot: async (key) => {
      const from = await cluster.masterOf(key);
      const to = (await cluster.currentMasters()).find((master) => master !== from);
      if (to === undefined) throw new Error('there is no other master');
      const client = to.client();
      // Long enough for what is done meanwhile to meet a slot that is half here and half there.
      const whileMoving = async () => {
        for (let round = 0; round < 20; round++) await client.ping();
      };
      await cluster.moveSlot(key, to, { whileMoving });
    },
  };
}
