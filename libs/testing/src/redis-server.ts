import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from '@millrace/redis';
import { removeData } from './data-folder.js';
import { freezeGroup, isAlive, killGroup, thawGroup } from './process-group.js';
import { type ClientOptions, RedisClients } from './redis-clients.js';
import { launchRedis, type RedisLaunch } from './redis-process.js';
import { askRedis } from './redis-question.js';
import { forget, remember } from './started.js';

// A graceful shutdown may have to write a snapshot; after this time the server is killed.
const gracefulEndTimeoutMs = 10_000;

/** The settings with which a server is restarted. */
export interface RedisServerSetup extends RedisLaunch {
  readonly dir: string;
  /** Where the nodes of a cluster talk to each other; `undefined` outside a cluster. */
  readonly clusterPort: number | undefined;
  /** Where it speaks TLS; `undefined` where it does not. */
  readonly tlsPort: number | undefined;
  /** Whether the folder belongs to the caller: then the server shuts down gracefully, with its data on disk. */
  readonly keepsDir: boolean;
  /** Whether the data is in an append-only file. If not, a graceful shutdown writes a snapshot. */
  readonly hasAof: boolean;
}

/** A running Redis on 127.0.0.1, with faults to inject. Created by `startRedis`. */
export class RedisServer {
  /** Where it listens. */
  readonly host = '127.0.0.1';
  readonly #setup: RedisServerSetup;
  readonly #clients = new RedisClients();
  #child: ChildProcess;
  #isFrozen = false;
  #stopping: Promise<void> | undefined;

  constructor(setup: RedisServerSetup, child: ChildProcess) {
    this.#setup = setup;
    this.#child = child;
    remember(this);
  }

  /** The port; it stays the same after `restart`. */
  get port(): number {
    return this.#setup.port;
  }

  /** The cluster bus port of this server; `undefined` outside a cluster. */
  get clusterPort(): number | undefined {
    return this.#setup.clusterPort;
  }

  /** Where it speaks TLS; `undefined` without `tls`. */
  get tlsPort(): number | undefined {
    return this.#setup.tlsPort;
  }

  /** The port for its replicas and Sentinels: that for TLS if it has one. */
  get peerPort(): number {
    return this.tlsPort ?? this.port;
  }

  /** The password of clients; undefined without one. */
  get password(): string | undefined {
    return this.#setup.password;
  }

  /** `redis://[:password@]127.0.0.1:<port>` */
  get url(): string {
    const login = this.password === undefined ? '' : `:${encodeURIComponent(this.password)}@`;
    return `redis://${login}${this.host}:${this.port}`;
  }

  /** The options with which `connect` of @millrace/redis reaches it. */
  get connection(): { readonly url: string } {
    return { url: this.url };
  }

  /** The data folder. */
  get dir(): string {
    return this.#setup.dir;
  }

  /** The server's process id; undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** False after `kill` and `stop`; a frozen server is running. */
  get isRunning(): boolean {
    return isAlive(this.#child);
  }

  /** Whether it can reply: it runs and is not frozen. */
  get isResponsive(): boolean {
    return this.isRunning && !this.#isFrozen;
  }

  /** Everything the server printed since its first start. */
  get log(): string {
    return readFileSync(this.#setup.logPath, 'utf8');
  }

  /** A client of this server; it is closed when the server stops. */
  client(options: ClientOptions = {}): Redis {
    return this.#clients.connect(this.#setup, options);
  }

  /** SIGKILL, as if the machine lost power. Resolves when the process is gone. Also ends a frozen server. */
  async kill(): Promise<void> {
    await killGroup(this.#child);
    this.#isFrozen = false;
  }

  /** SIGSTOP, as if the machine hung: connections stay open without replies. Resolves when the process is stopped. */
  async freeze(): Promise<void> {
    await freezeGroup(this.#child);
    this.#isFrozen = true;
  }

  /** SIGCONT: continues after `freeze` as if no time had passed. */
  thaw(): void {
    thawGroup(this.#child);
    this.#isFrozen = false;
  }

  /**
   * Stops the server if it runs, and starts it again on the same port. With `keepData` (the default) the shutdown is graceful, so the
   * server has all its data again; after `kill()` it has the data that was on disk. Without `keepData` the dataset is removed; a cluster
   * node keeps its identity (`nodes.conf`).
   */
  async restart({ keepData = true } = {}): Promise<void> {
    if (keepData) await this.#end();
    else await this.kill();
    if (!keepData) await removeData(this.dir);
    this.#child = await launchRedis(this.#setup);
  }

  /** Stops the server, closes its clients and removes its temporary folder. May be called twice. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#clients.close();
    if (this.#setup.keepsDir) await this.#end();
    else await this.kill();
    await this.#setup.guarded.release();
    forget(this);
  }

  /** Shuts it down with its data on disk; kills it when it is frozen or does not shut down. */
  async #end(): Promise<void> {
    const child = this.#child;
    if (isAlive(child) && !this.#isFrozen) {
      child.ref();
      const exited = once(child, 'exit');
      // The connection closes without a reply when the command is executed.
      await askRedis(this.#setup, ['SHUTDOWN', this.#setup.hasAof ? 'NOSAVE' : 'SAVE']).catch(() => {});
      await Promise.race([exited, sleep(gracefulEndTimeoutMs, undefined, { ref: false })]);
    }
    await this.kill();
  }
}
