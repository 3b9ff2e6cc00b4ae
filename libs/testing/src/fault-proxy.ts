import { once } from 'node:events';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import type { Redis } from '@millrace/redis';
import { freePort } from './free-port.js';
import { type Faults, ProxiedConnection } from './proxied-connection.js';
import { type ClientOptions, RedisClients } from './redis-clients.js';
import { ReplyCut } from './reply-cut.js';
import { forget, remember } from './started.js';

/** The server behind a proxy; a `RedisServer` fits. */
export interface ProxyTarget {
  /** The server's host. Default 127.0.0.1. */
  readonly host?: string;
  /** The server's port. */
  readonly port: number;
  /** The password for the proxy's own commands and its `url`. Default: none. */
  readonly password?: string | undefined;
}

/** Starts a TCP proxy on a free port of 127.0.0.1. Without faults it forwards everything unchanged. */
export async function startProxy(target: ProxyTarget): Promise<FaultProxy> {
  for (let attempt = 1; ; attempt++) {
    const proxy = new FaultProxy(target, await freePort());
    try {
      await proxy.accept();
      return remember(proxy);
    } catch (error) {
      if (attempt === 10) throw error;
    }
  }
}

/** A network between a client and Redis (plain RESP2 or RESP3, no TLS) that fails on demand. Created by `startProxy`. */
export class FaultProxy {
  /** Where it listens. */
  readonly host = '127.0.0.1';
  /** Where it listens. */
  readonly port: number;
  readonly #target: ProxyTarget;
  readonly #connections = new Set<ProxiedConnection>();
  readonly #clients = new RedisClients();
  readonly #faults: Faults = { delayMs: 0, isDropping: false, replyCuts: new Set() };
  #server: Server | undefined;

  constructor(target: ProxyTarget, port: number) {
    this.#target = target;
    this.port = port;
  }

  /** The target's password; undefined without one. */
  get password(): string | undefined {
    return this.#target.password;
  }

  /** `redis://[:password@]127.0.0.1:<port of the proxy>` */
  get url(): string {
    const login = this.password === undefined ? '' : `:${encodeURIComponent(this.password)}@`;
    return `redis://${login}${this.host}:${this.port}`;
  }

  /** The options with which `connect` of @millrace/redis reaches Redis through the proxy. */
  get connection(): { readonly url: string } {
    return { url: this.url };
  }

  /** The number of clients connected through it. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /** A client that goes through the proxy; it is closed when the proxy stops. */
  client(options: ClientOptions = {}): Redis {
    return this.#clients.connect(this, options);
  }

  /** Delays everything by `ms` each way, so a round trip by twice as much. 0 ends the delay. */
  delay(ms: number): void {
    this.#faults.delayMs = ms;
  }

  /** Drops all bytes unnoticed: connections stay open and silent until `restore` or `cut`. */
  drop(): void {
    this.#faults.isDropping = true;
  }

  /** Breaks every connection immediately, with a reset. New ones are accepted, unless `refuse` was called. */
  cut(): void {
    for (const connection of this.#connections) connection.cut();
  }

  /** Stops listening: new connections fail with ECONNREFUSED. Open connections stay. */
  refuse(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  /** Listens again after `refuse`, on the same port. */
  async accept(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer((socket) => this.#connect(socket));
    server.listen(this.port, this.host);
    await once(server, 'listening');
    server.unref();
    this.#server = server;
  }

  /** Ends every fault. A connection whose bytes were dropped is cut: bytes after the gap would be garbage. */
  async restore(): Promise<void> {
    this.#faults.delayMs = 0;
    this.#faults.isDropping = false;
    for (const connection of this.#connections) if (connection.lostSomething) connection.cut();
    await this.accept();
  }

  /**
   * Lets the next command through to Redis (with `pattern`: the next whose bytes contain it, a command name or a key, in any case), waits
   * until Redis has replied, and then closes the connection without forwarding the reply: the client cannot know that the command was
   * executed. Replies to earlier commands still arrive; later commands on the same connection go to Redis and lose their replies too. A
   * reply NOSCRIPT, after which nothing was done, goes to the client, and the cut waits for the next matching command. (Replies are
   * counted, so it does not work for a connection that subscribes under RESP2, where messages look like replies.)
   *
   * Resolves when the connection is closed.
   *
   * @throws {Error} no such command got a reply within `timeoutMs` (default 10 000)
   */
  cutBeforeReply(pattern?: string, { timeoutMs = 10_000 } = {}): Promise<void> {
    const cut = new ReplyCut(pattern, timeoutMs);
    this.#faults.replyCuts.add(cut);
    const forgetCut = () => void this.#faults.replyCuts.delete(cut);
    cut.done.then(forgetCut, forgetCut);
    return cut.done;
  }

  /** Closes everything. May be called twice. */
  async stop(): Promise<void> {
    this.#clients.close();
    this.refuse();
    for (const cut of this.#faults.replyCuts) cut.fail(new Error('the proxy was stopped before the cut happened'));
    this.cut();
    forget(this);
  }

  #connect(client: Socket): void {
    const redis = createConnection(this.#target.port, this.#target.host ?? '127.0.0.1');
    const connection = new ProxiedConnection(client, redis, this.#faults);
    this.#connections.add(connection);
    const forgetWhenClosed = () => {
      if (client.closed && redis.closed) this.#connections.delete(connection);
    };
    client.once('close', forgetWhenClosed);
    redis.once('close', forgetWhenClosed);
  }
}
