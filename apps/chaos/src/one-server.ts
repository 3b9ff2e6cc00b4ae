import { setTimeout as sleep } from 'node:timers/promises';
import { RedisConnection } from '@millrace/redis';
import { type FaultProxy, type RedisServer, startProxy, startRedis } from '@millrace/testing';
import { topic, workQueue } from './load.js';
import type { PlannedFault } from './model/fault-plan.js';
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
  readonly mayLoseUnconfirmed = false;
  readonly #server: RedisServer;
  readonly #proxy: FaultProxy;
  readonly #admin: RedisConnection;

  static async start(): Promise<OneServer> {
    const server = await startRedis({ aof: 'always' });
    const admin = await new RedisConnection(server.connection).open();
    return new OneServer(server, await startProxy(server), admin);
  }

  private constructor(server: RedisServer, proxy: FaultProxy, admin: RedisConnection) {
    this.#server = server;
    this.#proxy = proxy;
    this.#admin = admin;
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
        await this.#admin.whenReady(10_000);
        await this.#admin.commands.script('FLUSH');
        return;
      case 'redis-full':
        return this.#fill(forMs);
      case 'latency':
        this.#proxy.delay(firstLatencyMs + Math.floor(choice * moreLatencyMs));
        await sleep(forMs);
        return this.#proxy.delay(0);
      default:
        throw new Error(`${kind} is nothing that can be done to one server`);
    }
  }

  async heal(): Promise<void> {
    this.#server.thaw();
    if (!this.#server.isRunning) await this.#server.restart();
    await this.#proxy.restore();
    await this.#admin.whenReady(10_000);
    await this.#admin.commands.config('SET', 'maxmemory', '0');
  }

  async stop(): Promise<void> {
    this.#admin.close();
    await this.#proxy.stop();
    await this.#server.stop();
  }

  async #fill(forMs: number): Promise<void> {
    await this.#admin.whenReady(10_000);
    await this.#admin.commands.config('SET', 'maxmemory', '1mb');
    await sleep(forMs);
    await this.#admin.commands.config('SET', 'maxmemory', '0');
  }
}
