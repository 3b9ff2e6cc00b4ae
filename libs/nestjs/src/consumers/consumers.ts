import {
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type OnModuleInit,
  Optional,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { HandlerSource } from '../decorators/handler-decorators.js';
import type { LogHandlerOptions, QueueHandlerOptions } from '../decorators/handler-options.js';
import { HandlerRegistry } from '../discovery/handler-registry.js';
import type { Millrace } from '../module/millrace.js';
import { MillraceLogger } from '../module/millrace-logger.js';
import type { RunHandler } from '../pipeline/run-enhanced.js';
import type { ResolvedHandler } from '../plans/resolved-handler.js';
import type { ConsumerHandle } from './consumer-handle.js';
import { OutageWait } from './outage-wait.js';
import { warnWithoutShutdownHooks } from './shutdown-hooks.js';

/**
 * All consumers of the application. They start when the application is ready and, at shutdown, let handlers end before any provider is
 * destroyed. `app.get(Consumers)` starts and stops them by hand.
 */
@Injectable()
export class Consumers implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy {
  readonly #logger = new MillraceLogger();
  readonly #registry: HandlerRegistry;
  readonly #http: HttpAdapterHost | undefined;
  #stopWarning: (() => void) | undefined;
  readonly #waits: { stop(): void }[] = [];
  /** Connections whose consumers were started, and not stopped since. */
  readonly #started = new Set<Millrace>();
  /** The number of stops: a start that began before a stop does not continue after it. */
  #stops = 0;

  constructor(registry: HandlerRegistry, @Optional() http?: HttpAdapterHost) {
    this.#registry = registry;
    this.#http = http;
  }

  /** Every connection of the application. */
  get connections(): readonly Millrace[] {
    return [...this.#registry.connections.byName.values()];
  }

  /** Every discovered handler, resolved: a test can run it without its consumer. */
  get handlers(): readonly ResolvedHandler[] {
    return this.#registry.resolved;
  }

  /** One entry per consumer; handlers that share a queue share a consumer. */
  get all(): readonly ConsumerHandle[] {
    return this.#registry.consumers;
  }

  /** The consumer that runs a handler, by `Class.method` or the handler's name. */
  find(handler: string): ConsumerHandle | undefined {
    return this.all.find(({ label }) => label === handler || label.split(', ').includes(handler));
  }

  /**
   * Called by Nest: finds the handlers, checks their options and declares their topology.
   *
   * @throws {OptionsError} with every problem of every handler; connections are closed then
   */
  async onModuleInit(): Promise<void> {
    try {
      await this.#registry.find();
      // Handlers of modules that a hook has loaded.
      await this.#registry.takeUp();
      for (const millrace of this.connections) {
        if (millrace.options.waitForRedis !== 'background') await millrace.prepared();
      }
    } catch (error) {
      await this.#registry.connections.close();
      throw error;
    }
  }

  /** Called by Nest: starts the consumers, or waits for the HTTP server, depending on `startConsumers`. */
  async onApplicationBootstrap(): Promise<void> {
    for (const millrace of this.connections) {
      const when = millrace.options.startConsumers;
      // It is null in an application without an HTTP server, and undefined in a testing module.
      const http = this.#http?.httpAdapter ? this.#http : undefined;
      if (when === 'manual') continue;
      if (when === 'listening' && http !== undefined) this.#startWhenListening(millrace, http);
      else await this.#startOrWait(millrace);
    }
    if (this.all.length > 0 && this.connections.some(({ options }) => options.logging))
      this.#stopWarning = warnWithoutShutdownHooks();
  }

  /** Called by Nest: stops the consumers while the application's other providers still work. */
  async onModuleDestroy(): Promise<void> {
    this.#stopWarning?.();
    this.#registry.close();
    for (const millrace of this.connections) millrace.drainBegins();
    await this.stop();
  }

  /**
   * Declares everything that the handlers of a connection bind and consume from. Consumes nothing yet.
   *
   * @throws {OptionsError} with every problem of every handler
   */
  async declare(millrace: Millrace): Promise<void> {
    await this.#registry.find();
    await this.#registry.declare(millrace);
  }

  /**
   * Starts the consumers of all connections, or of one, that do not run.
   *
   * @throws {ClosedError} the application was shut down
   */
  async start(connection?: string): Promise<void> {
    const stops = this.#stops;
    const isMeant = ({ name }: Millrace): boolean => connection === undefined || name === connection;
    for (const millrace of this.connections.filter(isMeant)) this.#started.add(millrace);
    for (const consumer of this.all) {
      if (this.#stops !== stops) return;
      if (isMeant(consumer.millrace)) await consumer.start();
    }
  }

  /**
   * Stops all consumers simultaneously, each within its connection's `shutdownDeadlineMs`. `start()` starts them again; a transport's
   * server starts with its `listen()`.
   */
  async stop(): Promise<void> {
    this.#stops++;
    this.#started.clear();
    for (const wait of this.#waits.splice(0)) wait.stop();
    const attached = this.connections.flatMap((millrace) => millrace.attached);
    const stops = [...this.all, ...attached].map((service) => service.stop());
    for (const result of await Promise.allSettled(stops)) {
      if (result.status === 'rejected') this.#logger.error(result.reason);
    }
  }

  /**
   * Adds the handlers of modules that `LazyModuleLoader` has loaded since the application's start, or since the last call; they start
   * immediately if the consumers of their connection were started. Resolves to their consumers.
   *
   * @throws {OptionsError} with every problem of every new handler; none of them is added then
   */
  async discover(): Promise<readonly ConsumerHandle[]> {
    const added = await this.#registry.takeUp();
    for (const millrace of this.connections) {
      if (millrace.state === 'ready') await this.#registry.declare(millrace, added);
    }
    for (const consumer of added) {
      if (this.#started.has(consumer.millrace)) await consumer.start();
    }
    return added;
  }

  /**
   * Handles a topic's records from now on, without a decorator. It resolves to the consumer, whose `stop()` ends it.
   *
   * @throws {OptionsError} with every problem
   */
  subscribeLog(options: LogHandlerOptions, handler: RunHandler): Promise<ConsumerHandle> {
    return this.#subscribe({ kind: 'log', options }, handler);
  }

  /** Handles a queue's messages from now on, without a decorator. @throws {OptionsError} */
  subscribeQueue(options: QueueHandlerOptions, handler: RunHandler): Promise<ConsumerHandle> {
    return this.#subscribe({ kind: 'queue', options }, handler);
  }

  async #subscribe(source: HandlerSource, handler: RunHandler): Promise<ConsumerHandle> {
    const handle = await this.#registry.subscribe(source, handler);
    await handle.start();
    return handle;
  }

  async #startOrWait(millrace: Millrace): Promise<void> {
    const stops = this.#stops;
    const start = async (): Promise<void> => {
      await millrace.prepared();
      if (this.#stops === stops) await this.start(millrace.name);
    };
    if (millrace.options.waitForRedis !== 'background') return start();
    const wait = new OutageWait(start, (error) => this.#logger.error(error));
    this.#waits.push(wait);
    wait.start();
  }

  #startWhenListening(millrace: Millrace, http: HttpAdapterHost): void {
    const subscription = http.listen$.subscribe(() => {
      this.#startOrWait(millrace).catch((error: unknown) => this.#logger.error(error));
    });
    this.#waits.push({ stop: () => subscription.unsubscribe() });
  }
}
