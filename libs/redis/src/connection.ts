import { EventEmitter } from 'node:events';
import { messageOf, notify, startTimer, stopTimer, UnavailableError } from '@millrace/core';
import { becomesReady, Cluster, openClient, type Redis, type RedisClient } from './client.js';
import { learnIdentities } from './connection-identity.js';
import { type ConnectionInput, type ConnectionOptions, resolveConnectionOptions } from './connection-options.js';
import { connectionProblem } from './connection-problem.js';
import { nodeProblem, saysNothing } from './node-problem.js';
import { isPlainPort, NoTlsError, plainPortAfterMs } from './plain-port.js';
import { withoutCredentials } from './public-options.js';
import { checkServer } from './server-check.js';

/** `up` and `down` may come any number of times; `warning` at start. */
interface ConnectionEvents {
  up: [];
  down: [reason: string];
  closed: [];
  warning: [text: string];
}

/**
 * A process's way to Redis: one client for commands that answer at once, shared by everybody, and one more
 * for each user of blocking commands. It reconnects by itself, for ever, until it is closed. What a listener of its events
 * throws is a `warning`, and goes no further.
 */
export class RedisConnection extends EventEmitter<ConnectionEvents> {
  /** Without credentials. */
  readonly options: ConnectionOptions;
  /** With them. */
  readonly #options: ConnectionOptions;
  readonly #commands: RedisClient;
  readonly #blocking = new Set<RedisClient>();
  #lastError = '';
  /** Called when the server refuses this connection, for reasons that waiting does not change. */
  readonly #refusalListeners = new Set<() => void>();
  readonly #refusingNodes = new Set<string>();
  #isClosed = false;

  /** @throws {OptionsError} when options are wrong; nothing is connected yet */
  constructor(input: ConnectionInput) {
    super();
    // Every consumer of the process listens.
    this.setMaxListeners(0);
    this.#options = resolveConnectionOptions(input);
    this.options = withoutCredentials(this.#options);
    this.#commands = openClient(this.#options, { name: 'commands', blocks: false });
    this.#watch(this.#commands);
  }

  /** Comes before every key. */
  get prefix(): string {
    return this.options.prefix;
  }

  /** The client for commands. While Redis is away its commands fail at once instead of waiting: see `whenReady`. */
  get commands(): RedisClient {
    return this.#commands;
  }

  /** Whether commands are answered at the moment, as far as is known. */
  get isUp(): boolean {
    return this.#commands.status === 'ready';
  }

  /** Whether `close` was called. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Why Redis is away, in words; empty when it is there. Holds no credentials. */
  get downReason(): string {
    return this.isUp ? '' : this.#lastError || `the connection is ${this.#commands.status}`;
  }

  /**
   * Connects and checks the server. A connection that could not be opened is closed; to wait longer for a Redis that is
   * away, call `whenReady` first.
   *
   * @throws {UnavailableError} Redis did not answer within `connectTimeoutMs`, or refuses the connection: that is known immediately
   * @throws {UnsupportedServerError} the server is too old or may evict keys
   */
  async open(): Promise<this> {
    try {
      await this.#becomesReady(this.options.connectTimeoutMs, { unlessRefused: true });
      await this.check();
      return this;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /**
   * Checks the server of a connection that is ready, as `open` does; nothing is closed.
   *
   * @throws {UnsupportedServerError} the server is too old or may evict keys; or what ioredis throws, when the connection is lost
   */
  async check(): Promise<void> {
    for (const warning of await checkServer(this.#commands, this.#options)) this.emit('warning', warning);
  }

  /** Waits until commands can be sent. @throws {UnavailableError} not within `timeoutMs`, or the connection was closed */
  async whenReady(timeoutMs: number): Promise<void> {
    return this.#becomesReady(timeoutMs, { unlessRefused: false });
  }

  /** Credentials may be put right while a process waits; a start fails immediately. */
  async #becomesReady(timeoutMs: number, { unlessRefused }: { readonly unlessRefused: boolean }): Promise<void> {
    if (this.isUp) return;
    if (this.#isClosed) throw new UnavailableError('the connection to Redis is closed.');
    if (this.#commands.status === 'wait') this.#commands.connect().catch(() => undefined);
    await new Promise<void>((resolve, reject) => {
      const end = (problem: string): void => {
        stopTimer(timer);
        stopTimer(tlsTimer);
        this.off('up', settle);
        this.off('closed', settle);
        this.#refusalListeners.delete(refuse);
        if (this.isUp) resolve();
        else reject(new UnavailableError(problem));
      };
      const settle = (): void => end(`Redis is away: ${this.downReason}. Waited ${Math.round(timeoutMs)} ms for it.`);
      const refuse = (): void => end(`Redis refuses the connection: ${this.downReason}.`);
      const refuseWithoutTls = async (): Promise<void> => {
        if (!(await isPlainPort(this.#options, timeoutMs)) || !this.#refusalListeners.has(refuse)) return;
        this.#lastError = connectionProblem(new NoTlsError()).text;
        refuse();
      };
      const timer = startTimer(settle, timeoutMs);
      const tlsTimer = unlessRefused ? startTimer(() => void refuseWithoutTls(), plainPortAfterMs) : undefined;
      this.on('up', settle);
      this.on('closed', settle);
      if (unlessRefused) this.#refusalListeners.add(refuse);
    });
  }

  /**
   * A client of one's own for commands that block. Give it back with `release`. It may not be connected yet, when Redis is
   * away for longer than `connectTimeoutMs`: it goes on trying.
   *
   * @param isIdentified `connectionIdentity` knows it even while it blocks
   * @throws {UnavailableError} the connection was closed
   */
  async blocking(name: string, { isIdentified = false } = {}): Promise<RedisClient> {
    if (this.#isClosed) throw new UnavailableError('the connection to Redis is closed.');
    const client = openClient(this.#options, { name, blocks: true });
    if (isIdentified) learnIdentities(client);
    this.#blocking.add(client);
    client.on('error', () => undefined);
    // Not what `connect` answers: of a cluster that was failing over when it was asked, that promise is never settled.
    client.connect().catch(() => undefined);
    await becomesReady(client, this.options.connectTimeoutMs);
    return client;
  }

  /** Ends a client that this connection made for one caller. */
  release(client: RedisClient): void {
    this.#blocking.delete(client);
    client.disconnect();
  }

  /** Closes every client. Safe to call twice. Commands in flight fail. */
  close(): void {
    this.#isClosed = true;
    for (const client of [this.#commands, ...this.#blocking]) client.disconnect();
    this.#blocking.clear();
    this.emit('closed');
  }

  override emit<K>(
    name: K | keyof ConnectionEvents,
    ...args: K extends keyof ConnectionEvents ? ConnectionEvents[K] : never
  ): boolean {
    const listeners = this.rawListeners(name);
    const failed = (error: unknown): void => this.#listenerFailed(String(name), error);
    for (const listener of listeners) notify(() => Reflect.apply(listener, this, args), failed);
    return listeners.length > 0;
  }

  #listenerFailed(name: string, error: unknown): void {
    const text = `a listener of "${name}" failed: ${messageOf(error)}`;
    if (name === 'warning' || !this.emit('warning', text)) process.emitWarning(text, 'MillraceWarning');
  }

  #watch(client: RedisClient): void {
    const note = (error: Error, address = ''): void => {
      if (saysNothing(error) && this.#lastError !== '') return;
      const { text, isRefusal } = connectionProblem(error);
      this.#lastError = text;
      if (!isRefusal) return;
      this.#refusingNodes.add(address);
      // One node of several may be wrong by itself.
      const nodes = client instanceof Cluster && address !== '' ? client.nodes('all').length : 1;
      if (this.#refusingNodes.size >= nodes) for (const refuse of this.#refusalListeners) refuse();
    };
    client.on('error', (error: Error) => note(error));
    client.on('ready', () => {
      this.#lastError = '';
      this.#refusingNodes.clear();
      this.emit('up');
    });
    client.on('close', () => this.emit('down', this.#lastError));
    // A node that is reached anew knows nothing of this process's former connection to it, and the cluster was up all along.
    if (client instanceof Cluster) {
      client.on('node error', (error: Error, address: string) => {
        if (!this.#isClosed) void nodeProblem(client, address, error).then((problem) => note(problem, address));
      });
      client.on('+node', (node: Redis) => node.on('ready', () => this.isUp && this.emit('up')));
    }
  }
}
