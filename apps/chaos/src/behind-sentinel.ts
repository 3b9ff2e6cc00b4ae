import { setTimeout as sleep } from 'node:timers/promises';
import {
  type RedisServer,
  type Replicated,
  type Sentinels,
  startReplicated,
  startSentinels,
  waitFor,
} from '@millrace/testing';
import type { PlannedFault } from './model/fault-plan.js';
import { everywhere, fill, lift, revive } from './server-faults.js';
import type { Stage } from './stage.js';

const failOverTimeoutMs = 30_000;
const replicas = 2;
/** Sentinel asks once a second: one that waits less takes a primary for dead that it has only just come to know. */
const downAfterMs = 1000;

/**
 * How often Sentinel looks, in ms. As it ships, a primary that comes back is made a replica after 10 to 20 s, and a Sentinel
 * that was frozen does nothing for 30 s: a minute would see few faults.
 */
const pace = ['info-period', '1000', 'publish-period', '500', 'tilt-period', '2000'] as const;

/** A primary that writes everything to disk before it answers, with two replicas, watched by three Sentinels. */
export class BehindSentinel implements Stage {
  /** All: Sentinel may choose any of them, also one that did not confirm. */
  readonly minReplicas = replicas;
  readonly mayLoseUnconfirmed = true;
  readonly #replicated: Replicated;
  readonly #sentinels: Sentinels;
  readonly #onNewLives: () => void;

  /** @param onNewLives told whenever a server may take over that has not all that its predecessor had */
  static async start(onNewLives: () => void): Promise<BehindSentinel> {
    const replicated = await startReplicated({ replicas, aof: 'always' });
    const stage = new BehindSentinel(replicated, await startSentinels(replicated, { downAfterMs }), onNewLives);
    await stage.#hasten();
    return stage;
  }

  private constructor(replicated: Replicated, sentinels: Sentinels, onNewLives: () => void) {
    this.#replicated = replicated;
    this.#sentinels = sentinels;
    this.#onNewLives = onNewLives;
  }

  get connection() {
    return this.#sentinels.connection;
  }

  get direct() {
    return this.#sentinels.connection;
  }

  get servers(): readonly RedisServer[] {
    return this.#replicated.servers;
  }

  get sentinels(): readonly RedisServer[] {
    return this.#sentinels.servers;
  }

  async perform({ kind, forMs, choice }: PlannedFault): Promise<void> {
    const primary = await this.#primary();
    const replica = chosen(
      this.servers.filter((server) => server !== primary),
      choice,
    );
    const sentinel = chosen(this.sentinels, choice);
    switch (kind) {
      case 'fail-over':
        return this.#failOver(primary, forMs);
      case 'unseen-fail-over':
        return this.#failOverUnseen(primary, sentinel, forMs);
      case 'stale-primary':
        await primary.freeze();
        await this.#tookOver(primary);
        return this.#thaw(primary, forMs);
      case 'freeze-redis':
        await primary.freeze();
        return this.#thaw(primary, forMs);
      case 'restart-redis':
        return this.#restart(primary, 0);
      case 'kill-replica':
        await replica.kill();
        return this.#restart(replica, forMs);
      case 'freeze-replica':
        await replica.freeze();
        return this.#thaw(replica, forMs);
      case 'kill-sentinel':
        await sentinel.kill();
        return this.#restart(sentinel, forMs);
      case 'freeze-sentinel':
        await sentinel.freeze();
        return this.#thaw(sentinel, forMs);
      case 'cut-connections':
        return this.#cut();
      case 'redis-full':
        return fill(this.servers, forMs);
      default:
        throw new Error(`${kind} is nothing that can be done behind Sentinel`);
    }
  }

  async heal(): Promise<void> {
    await revive([...this.servers, ...this.sentinels]);
    await this.#healed();
    await lift(this.servers);
  }

  async stop(): Promise<void> {
    await this.#sentinels.stop();
    await this.#replicated.stop();
  }

  /** The primary dies, a replica takes over, and it comes back: as a second primary, until Sentinel makes it a replica. */
  async #failOver(primary: RedisServer, forMs: number): Promise<void> {
    await primary.kill();
    await this.#tookOver(primary);
    await this.#restart(primary, forMs);
  }

  /** The primary dies while one Sentinel is frozen, which clients may be asking: it learns later who has taken over. */
  async #failOverUnseen(primary: RedisServer, sentinel: RedisServer, forMs: number): Promise<void> {
    await sentinel.freeze();
    await primary.kill();
    await this.#tookOver(primary);
    await sleep(forMs);
    sentinel.thaw();
    await this.#restart(primary, 0);
  }

  async #restart(server: RedisServer, afterMs: number): Promise<void> {
    await sleep(afterMs);
    await server.restart();
    await this.#healed();
  }

  /** A primary that was frozen long enough is still one in its own eyes, and its clients are still connected. */
  async #thaw(server: RedisServer, afterMs: number): Promise<void> {
    await sleep(afterMs);
    this.#onNewLives();
    server.thaw();
    await this.#healed();
  }

  /** Connections to the servers, and those to Sentinels: of clients that ask, and of subscribers. */
  async #cut(): Promise<void> {
    await everywhere(this.servers, ['CLIENT', 'KILL', 'TYPE', 'normal']);
    for (const type of ['normal', 'pubsub']) await everywhere(this.sentinels, ['CLIENT', 'KILL', 'TYPE', type]);
  }

  async #healed(): Promise<void> {
    this.#onNewLives();
    await this.#hasten();
    await this.#sentinels.waitUntilHealthy();
    this.#onNewLives();
  }

  /** A Sentinel forgets its pace when it ends. (Before Redis 7 it cannot be told.) */
  async #hasten(): Promise<void> {
    await everywhere(this.sentinels, ['SENTINEL', 'DEBUG', ...pace]).catch(() => undefined);
  }

  async #tookOver(old: RedisServer): Promise<void> {
    await waitFor(async () => ![old, undefined].includes(await this.#sentinels.primary()), {
      what: 'a replica to take over',
      timeoutMs: failOverTimeoutMs,
    });
    this.#onNewLives();
  }

  /** Sentinels that were away need a moment to agree with the others. */
  #primary(): Promise<RedisServer> {
    return waitFor(() => this.#sentinels.primary(), {
      what: 'Sentinels to agree on the primary',
      timeoutMs: failOverTimeoutMs,
    });
  }
}

function chosen(servers: readonly RedisServer[], choice: number): RedisServer {
  return servers[Math.floor(choice * servers.length)]!;
}
