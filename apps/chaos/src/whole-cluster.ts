import { setTimeout as sleep } from 'node:timers/promises';
import { type RedisCluster, type RedisServer, startCluster, waitFor } from '@millrace/testing';
import { initialPartitions, topic, workQueue } from './load.js';
import type { PlannedFault } from './model/fault-plan.js';
import { everywhere, fill, lift, revive } from './server-faults.js';
import type { Stage } from './stage.js';

const failOverTimeoutMs = 30_000;

/** Three masters that write everything to disk before they answer, with a replica each. */
export class WholeCluster implements Stage {
  readonly minReplicas = 1;
  readonly sentinels = [];
  readonly mayLoseUnconfirmed = true;
  readonly #cluster: RedisCluster;
  readonly #onNewLives: () => void;

  /** @param onNewLives told whenever a server may take over that has not all that its predecessor had */
  static async start(onNewLives: () => void): Promise<WholeCluster> {
    return new WholeCluster(await startCluster({ aof: 'always' }), onNewLives);
  }

  private constructor(cluster: RedisCluster, onNewLives: () => void) {
    this.#cluster = cluster;
    this.#onNewLives = onNewLives;
  }

  get connection() {
    return this.#cluster.connection;
  }

  get direct() {
    return this.#cluster.connection;
  }

  get servers(): readonly RedisServer[] {
    return this.#cluster.servers;
  }

  async perform({ kind, forMs, choice }: PlannedFault): Promise<void> {
    const key = keyFor(choice);
    switch (kind) {
      case 'fail-over':
        return this.#failOver(key, forMs);
      case 'freeze-redis':
        return this.#freeze(key, forMs);
      case 'restart-redis':
        return this.#restart(key);
      case 'cut-connections':
        return everywhere(this.servers, ['CLIENT', 'KILL', 'TYPE', 'normal']);
      case 'script-flush':
        return everywhere(this.servers, ['SCRIPT', 'FLUSH']);
      case 'redis-full':
        return fill(this.servers, forMs);
      case 'move-slot':
        return this.#moveSlot(key, choice);
      default:
        throw new Error(`${kind} is nothing that can be done to a cluster`);
    }
  }

  async heal(): Promise<void> {
    await revive(this.servers);
    await this.#cluster.waitUntilHealthy();
    await lift(this.servers);
  }

  async stop(): Promise<void> {
    await this.#cluster.stop();
  }

  /** A master dies, its replica takes over, and it comes back as a replica. */
  async #failOver(key: string, forMs: number): Promise<void> {
    const master = await this.#cluster.masterOf(key);
    await master.kill();
    await this.#tookOver(key, master);
    this.#onNewLives();
    await sleep(forMs);
    await master.restart();
    await this.#cluster.waitUntilHealthy();
    this.#onNewLives();
  }

  /** Whether its replica takes over depends on how long it is frozen. */
  async #freeze(key: string, forMs: number): Promise<void> {
    const master = await this.#cluster.masterOf(key);
    await master.freeze();
    await sleep(forMs);
    this.#onNewLives();
    master.thaw();
    await this.#cluster.waitUntilHealthy();
    this.#onNewLives();
  }

  /** A master ends orderly and comes back; if that takes too long, its replica has taken over. */
  async #restart(key: string): Promise<void> {
    const master = await this.#cluster.masterOf(key);
    await master.restart();
    this.#onNewLives();
    await this.#cluster.waitUntilHealthy();
  }

  async #moveSlot(key: string, choice: number): Promise<void> {
    const master = await this.#cluster.masterOf(key);
    const others = (await this.#cluster.currentMasters()).filter((server) => server !== master);
    const to = others[Math.floor(choice * others.length)];
    if (to === undefined) throw new Error('there is no other master');
    await this.#cluster.moveSlot(key, to);
  }

  async #tookOver(key: string, old: RedisServer): Promise<void> {
    await waitFor(async () => (await this.#cluster.masterOf(key)) !== old, {
      what: 'a replica to take over',
      timeoutMs: failOverTimeoutMs,
    });
  }
}

/** A key of what is chosen: one of the partitions, or the busiest queue. */
function keyFor(choice: number): string {
  const index = Math.floor(choice * (initialPartitions + 1));
  return index === initialPartitions
    ? `millrace:{queue:${workQueue}}:settings`
    : `millrace:{log:${topic}:${index}}:meta`;
}
