import { setTimeout as sleep } from 'node:timers/promises';
import { type FaultProxy, type RedisServer, startProxy, startRedis } from '@millrace/testing';
import { topic, workQueue } from './load.js';
import type { PlannedFault } from './model/fault-plan.js';
import { everywhere, fill, lift, revive } from './server-faults.js';
import type { Stage } from './stage.js';

/** Commands whose reply is cut off: appends and commits, publishes and turns of consumers, memberships. */
const cutPatterns = [
  `{log:${topic}:0}:records`,
  `{log:${topic}:1}:group`,
  `{queue:${workQueue}}:unacked`,
  '{topology}:published',
  '{group:',
];
const firstLatencyMs = 5;
const moreLatencyMs = 60;

/** One server that writes everything to disk before it answers, and a proxy in front of it. */
export class OneServer implements Stage {
  readonly minReplicas = 0;
  readonly sentinels = [];
  readonly mayLoseUnconfirmed = false;
  readonly #server: RedisServer;
  readonly #proxy: FaultProxy;

  static async start(): Promise<OneServer> {
    const server = await startRedis({ aof: 'always' });
    return new OneServer(server, await startProxy(server));
  }

  private constructor(server: RedisServer, proxy: FaultProxy) {
    this.#server = server;
    this.#proxy = proxy;
  }

  get connection() {
    return this.#proxy.connection;
  }

  get direct() {
    return this.#server.connection;
  }

  get servers(): readonly RedisServer[] {
    return [this.#server];
  }

  async perform({ kind, forMs, choice }: PlannedFault): Promise<void> {
    switch (kind) {
      case 'kill-redis':
        await this.#server.kill();
        await sleep(forMs);
        return this.#server.restart();
      case 'freeze-redis':
        await this.#server.freeze();
        await sleep(forMs);
        return this.#server.thaw();
      case 'restart-redis':
        return this.#server.restart();
      case 'cut-connections':
        return this.#proxy.cut();
      case 'cut-before-reply':
        return this.#proxy.cutBeforeReply(cutPatterns[Math.floor(choice * cutPatterns.length)]);
      case 'script-flush':
        return everywhere(this.servers, ['SCRIPT', 'FLUSH']);
      case 'redis-full':
        return fill(this.servers, forMs);
      case 'latency':
        this.#proxy.delay(firstLatencyMs + Math.floor(choice * moreLatencyMs));
        await sleep(forMs);
        return this.#proxy.delay(0);
      default:
        throw new Error(`${kind} is nothing that can be done to one server`);
    }
  }

  async heal(): Promise<void> {
    await revive(this.servers);
    await this.#proxy.restore();
    await lift(this.servers);
  }

  async stop(): Promise<void> {
    await this.#proxy.stop();
    await this.#server.stop();
  }
}
