import { brand } from '@millrace/core';
import { Events, FirstUse, runOutsideHandlers, type Service } from '@millrace/delivery';
import { Log, type Producer } from '@millrace/log';
import { instrument } from '@millrace/metrics';
import { Broker } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';
import { type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ConsumedSources } from '../plans/consumed-sources.js';
import { declareTopology } from '../topology/declare-topology.js';
import { DeclaredTopology } from '../topology/declared-topology.js';
import { joinTopologies, type Topology } from '../topology/topology.js';
import { writeEventsToLogger } from './event-logger.js';
import { FirstConnection } from './first-connection.js';
import { MillraceLogger } from './millrace-logger.js';
import type { MillraceModuleOptions } from './module-options.js';

/** The state of a connection: `waiting` while Redis is away at start, `ready` once its topology is declared. */
export type MillraceState = 'new' | 'waiting' | 'ready' | 'closed';

/** What a healthy Redis is given to confirm the last writes, also when handlers have used up the whole deadline. */
const leastCloseMs = 1000;

/** A service that consumes over a connection without being one of the application's handlers. */
interface Attachment extends Pick<Service, 'stop'> {
  /** Declares its sources, before it is started. */
  declare?(): Promise<void>;
}

/** One connection of the application: its log, its broker, its events. Injected as itself, or with `@InjectMillrace(name)`. */
export class Millrace implements OnModuleInit, OnApplicationShutdown {
  /** The name given to `forRoot`; `default` without one. */
  readonly name: string;
  /** The resolved options, with defaults and without credentials. */
  readonly options: MillraceModuleOptions;
  /** The connection to Redis. */
  readonly connection: RedisConnection;
  /** The events of the log, the broker and all handlers of this connection. */
  readonly events = new Events();
  /** Topics, producers, readers and groups over this connection. */
  readonly log: Log;
  /** Exchanges and queues over this connection. */
  readonly broker: Broker;
  /** The application's declarations over this connection, and their places in the code. */
  readonly declared: DeclaredTopology;
  /** The sources of the application's consumers over this connection. */
  readonly consumed = new ConsumedSources();
  readonly #attached = new Set<Attachment>();
  readonly #firstUse = new FirstUse(() => this.#declareForFirstUse());
  readonly #first: FirstConnection;
  #state: 'new' | 'ready' | 'closed' = 'new';
  /** When the shutdown began to stop consumers; undefined before. */
  #drainBegunAt: number | undefined;
  #opened: Promise<void> = Promise.resolve();
  #producer: Producer | undefined;
  #declareHandlers: (() => Promise<void>) | undefined;
  #ready: Promise<void> | undefined;

  /** Does not connect yet. */
  constructor(name: string, options: MillraceModuleOptions) {
    this.name = name;
    this.declared = new DeclaredTopology(name);
    this.connection = new RedisConnection(options.connection);
    this.#first = new FirstConnection(this.connection);
    this.options = { ...options, connection: this.connection.options };
    const shared = { events: this.events, codecs: options.codecs };
    this.log = new Log(this.connection, { ...options.log, ...shared });
    this.broker = new Broker(this.connection, { ...options.publisher, ...shared });
    this.declared.add(() => `forRoot${name === 'default' ? '' : ` of connection "${name}"`}`, options);
    if (options.logging) writeEventsToLogger(this, new MillraceLogger());
  }

  /** Its state between start and shutdown. */
  get state(): MillraceState {
    return this.#state === 'new' && this.#first.isWaiting ? 'waiting' : this.#state;
  }

  /** The connection's producer, for any topic. */
  get producer(): Producer {
    this.#producer ??= this.log.producer(this.options.producer);
    return this.#producer;
  }

  /** Services that must be drained with this connection's consumers, such as a transport's server. */
  get attached(): readonly Attachment[] {
    return [...this.#attached];
  }

  /** Adds a service to `attached`: it is stopped with the consumers, before the connection closes. */
  attach(service: Attachment): void {
    this.#attached.add(service);
  }

  /** Reverses `attach`. */
  detach(service: Attachment): void {
    this.#attached.delete(service);
  }

  /**
   * Adds a topology to be declared at start; `place` names its place in the code. After the start, {@link declare} declares immediately.
   */
  require(topology: Partial<Topology>, place: () => string = () => 'require()'): void {
    this.declared.add(place, topology);
  }

  /**
   * Sets the function that declares everything that handlers of this connection bind and consume from. It is called by the start of the
   * consumers, or by an earlier publish.
   */
  declareHandlersWith(declare: () => Promise<void>): void {
    this.#declareHandlers = declare;
  }

  /** Declares more topics, exchanges, queues and bindings while the application runs; `place`: the module that requires them. */
  async declare(topology: Partial<Topology>, place?: () => string): Promise<void> {
    // A module must agree with the others. A caller at run time may change a setting.
    if (place !== undefined) {
      this.declared.assertAlike([{ place, topology }]);
      this.declared.add(place, topology);
    }
    await declareTopology(this, joinTopologies([topology]));
  }

  /**
   * Connects, depending on `waitForRedis`.
   *
   * @throws {Error} `tracing` is true, and `@opentelemetry/api` is not installed
   * @throws {UnavailableError} Redis is away and is not waited for; the connection is closed then
   * @throws {UnsupportedServerError} the server cannot give Millrace's guarantees
   */
  async connect(): Promise<void> {
    const { waitForRedis, tracing } = this.options;
    // Before producers or consumers are made.
    if (tracing && !(await instrument(this))) {
      throw new Error(
        `MillraceModule (connection "${this.name}"): tracing needs the package @opentelemetry/api. Install it, or leave tracing out.`,
      );
    }
    if (waitForRedis === false) {
      return this.#first.open({
        failed: `MillraceModule (connection "${this.name}") cannot start`,
        advice:
          "Start Redis, correct connection.url, or set waitForRedis to true (the start waits) or 'background' (the application starts without it).",
      });
    }
    const waiting = this.#first.wait();
    // If it fails (the server is too old), `ready` rejects.
    waiting.catch(() => undefined);
    this.#opened = waiting;
    if (waitForRedis === true) await waiting;
  }

  /** Resolves when Redis was reached and everything required is declared. The first call declares it. */
  ready(): Promise<void> {
    this.#ready ??= this.#becomeReady().catch((error: unknown) => {
      // After another outage the next call tries again.
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }

  /**
   * As `ready`, and also declares everything that handlers bind: from then on no message is lost because a binding is missing.
   *
   * @throws {OptionsError} with every problem of every handler
   */
  async prepared(): Promise<void> {
    await this.#firstUse.done(Number.POSITIVE_INFINITY);
  }

  /** Nest's first hook: declares before any other module's code runs. */
  async onModuleInit(): Promise<void> {
    // Only from here on: before, not all modules exist, and their handlers are unknown.
    this.broker.beforeFirstPublish(this.#firstUse);
    this.log.beforeFirstUnknownTopic(this.#firstUse);
    try {
      if (this.options.waitForRedis === 'background') this.declared.assertAlike();
      else await this.ready();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** The shutdown begins: its consumers are drained now, and what is left of `shutdownDeadlineMs` after that is for pending writes. */
  drainBegins(): void {
    this.#drainBegunAt ??= performance.now();
  }

  /** Nest's last hook: other providers may publish until their own end. */
  async onApplicationShutdown(): Promise<void> {
    await this.close();
  }

  /**
   * Flushes and closes producers, then the connection. What Redis does not confirm within the rest of `shutdownDeadlineMs` (at least one
   * second) fails with a `WriteError`. `Consumers` stops consumers before. Called inside a handler it resolves immediately.
   */
  close(): Promise<void> {
    const onError = (error: unknown): void => void this.events.emit('background-error', { duty: 'close', error });
    return runOutsideHandlers(() => this.#close(), onError);
  }

  async #close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#first.close();
    const deadlineMs = this.#msToClose();
    await Promise.allSettled([this.log.close({ deadlineMs }), this.broker.close({ deadlineMs })]);
    this.connection.close();
  }

  #msToClose(): number {
    const now = performance.now();
    const spentMs = now - (this.#drainBegunAt ?? now);
    return Math.max(leastCloseMs, this.options.shutdownDeadlineMs - spentMs);
  }

  async #becomeReady(): Promise<void> {
    await this.#opened;
    this.declared.assertAlike();
    await declareTopology(this, this.declared.joined);
    if (this.#state !== 'closed') this.#state = 'ready';
  }

  async #declareForFirstUse(): Promise<void> {
    await this.ready();
    await this.#declareHandlers?.();
    for (const service of this.#attached) await service.declare?.();
  }
}

brand({ Millrace });
