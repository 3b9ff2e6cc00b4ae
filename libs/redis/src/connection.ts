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

/** `up` and `down` may be emitted any number of times; `warning` at start. */
interface ConnectionEvents {
  up: [];
  down: [reason: string];
  closed: [];
  warning: [text: string];
}

/** Why Redis is away, as a kind: there is no connection, or the server or its certificate rules this one out. */
export type DownKind = 'unreachable' | 'refused';

/**
 * A process's connection to Redis: one shared client for commands that do not block, and another one per user of blocking commands. It
 * reconnects until it is closed. An error that a listener of its events throws becomes a `warning`.
 */
export class RedisConnection extends EventEmitter<ConnectionEvents> {
  /** The options without credentials. */
  readonly options: ConnectionOptions;
  /** The options with credentials. */
  readonly #options: ConnectionOptions;
  readonly #commands: RedisClient;
  readonly #blocking = new Set<RedisClient>();
  #lastError = '';
  #isRefused = false;
  /** Called when the server refuses this connection and waiting does not help. */
  readonly #refusalListeners = new Set<() => void>();
  readonly #refusingNodes = new Set<string>();
  /** Calls of `whenReady` that wait. There may be many: a Set removes each in constant time. */
  readonly #waiting = new Set<() => void>();
  #isClosed = false;

  /** Does not connect yet. @throws {OptionsError} options are wrong */
  constructor(input: ConnectionInput) {
    super();
    // Every consumer of the process adds listeners.
    this.setMaxListeners(0);
    this.#options = resolveConnectionOptions(input);
    this.options = withoutCredentials(this.#options);
    this.#commands = openClient(this.#options, { name: 'commands', blocks: false });
    this.#watch(this.#commands);
  }

  /** The prefix of every key. */
  get prefix(): string {
    return this.options.prefix;
  }

  /** The client for commands. While Redis is away its commands fail immediately: see `whenReady`. */
  get commands(): RedisClient {
    return this.#commands;
  }

  /** Whether Redis replies to commands at the moment, as far as is known. */
  get isUp(): boolean {
    return this.#commands.status === 'ready';
  }

  /** Whether `close` was called. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Why Redis is away; empty when it is there. Holds no credentials. */
  get downReason(): string {
    return this.isUp ? '' : this.#lastError || `the connection is ${this.#commands.status}`;
  }

  /** The kind of `downReason`, for what is shown to strangers: it names no host. Undefined when Redis is there. */
  get downKind(): DownKind | undefined {
    if (this.isUp) return undefined;
    return this.#isRefused ? 'refused' : 'unreachable';
  }

  /**
   * Connects and checks the server. A connection that could not be opened is closed; to wait longer for a Redis that is
   * away, call `whenReady` first.
   *
   * @throws {UnavailableError} Redis did not reply within `connectTimeoutMs`, or refuses the connection, which is thrown immediately
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
   * Checks the server of a ready connection, as `open` does, but never closes it.
   *
   * @throws {UnsupportedServerError} the server is too old or may evict keys; or the error of ioredis, when the connection is lost
   */
  async check(): Promise<void> {
    for (const warning of await checkServer(this.#commands, this.#options)) this.emit('warning', warning);
  }

  /** Waits until commands can be sent. @throws {UnavailableError} it took longer than `timeoutMs`, or the connection was closed */
  async whenReady(timeoutMs: number): Promise<void> {
    return this.#becomesReady(timeoutMs, { unlessRefused: false });
  }

  /** Credentials may be corrected while a running process waits; a start fails immediately. */
  async #becomesReady(timeoutMs: number, { unlessRefused }: { readonly unlessRefused: boolean }): Promise<void> {
    if (this.isUp) return;
    if (this.#isClosed) throw new UnavailableError('the connection to Redis is closed.');
    if (this.#commands.status === 'wait') this.#commands.connect().catch(() => undefined);
    await new Promise<void>((resolve, reject) => {
      const end = (problem: string): void => {
        stopTimer(timer);
        stopTimer(tlsTimer);
        this.#waiting.delete(settle);
        this.#refusalListeners.delete(refuse);
        if (this.isUp) resolve();
        else reject(new UnavailableError(problem));
      };
      const settle = (): void => end(`Redis is away: ${this.downReason}. Waited ${Math.round(timeoutMs)} ms for it.`);
      const refuse = (): void => end(`Redis refuses the connection: ${this.downReason}.`);
      const refuseWithoutTls = async (): Promise<void> => {
        if (!(await isPlainPort(this.#options, timeoutMs)) || !this.#refusalListeners.has(refuse)) return;
        this.#lastError = connectionProblem(new NoTlsError()).text;
        this.#isRefused = true;
        refuse();
      };
      const timer = startTimer(settle, timeoutMs);
      const tlsTimer = unlessRefused ? startTimer(() => void refuseWithoutTls(), plainPortAfterMs) : undefined;
      this.#waiting.add(settle);
      if (unlessRefused) this.#refusalListeners.add(refuse);
    });
  }

  /**
   * Opens a client for the caller's blocking commands. Give it back with `release`. If Redis is away for longer than `connectTimeoutMs`,
   * the client is not connected yet and keeps trying.
   *
   * @param isIdentified `connectionIdentity` knows the client even while it blocks
   * @throws {UnavailableError} the connection was closed
   */
  async blocking(name: string, { isIdentified = false } = {}): Promise<RedisClient> {
    if (this.#isClosed) throw new UnavailableError('the connection to Redis is closed.');
    const client = openClient(this.#options, { name, blocks: true });
    if (isIdentified) learnIdentities(client);
    this.#blocking.add(client);
    client.on('error', () => undefined);
    // Not the promise of `connect`: for a cluster during a failover it is never settled.
    client.connect().catch(() => undefined);
    await becomesReady(client, this.options.connectTimeoutMs);
    return client;
  }

  /** Closes a client that this connection opened for one caller. */
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
    this.#endWaiting();
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

  #endWaiting(): void {
    for (const settle of this.#waiting) settle();
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
      this.#isRefused = isRefusal;
      if (!isRefusal) return;
      this.#refusingNodes.add(address);
      // One of several nodes may fail alone.
      const nodes = client instanceof Cluster && address !== '' ? client.nodes('all').length : 1;
      if (this.#refusingNodes.size >= nodes) for (const refuse of this.#refusalListeners) refuse();
    };
    client.on('error', (error: Error) => note(error));
    client.on('ready', () => {
      this.#lastError = '';
      this.#isRefused = false;
      this.#refusingNodes.clear();
      this.emit('up');
      this.#endWaiting();
    });
    client.on('close', () => this.emit('down', this.#lastError));
    // A node to which the client reconnects has lost the state of its former connection, although the cluster was up all the time.
    if (client instanceof Cluster) {
      client.on('node error', (error: Error, address: string) => {
        if (!this.#isClosed) void nodeProblem(client, address, error).then((problem) => note(problem, address));
      });
      client.on('+node', (node: Redis) => node.on('ready', () => this.isUp && this.emit('up')));
    }
  }
}
