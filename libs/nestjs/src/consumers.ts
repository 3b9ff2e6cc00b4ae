import {
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type OnModuleInit,
  Optional,
} from '@nestjs/common';
import { DiscoveryService, ExternalContextCreator, HttpAdapterHost, ModuleRef } from '@nestjs/core';
import { Connections } from './connections.js';
import { ConsumerHandle } from './consumer-handle.js';
import type { ConsumerPlan } from './consumer-plan.js';
import { HandlerDiscovery } from './handler-discovery.js';
import type { LogHandlerOptions, QueueHandlerOptions } from './handler-options.js';
import { HandlerPipeline } from './handler-pipeline.js';
import { type HandlerPlan, type PlannedHandler, planHandler } from './handler-plan.js';
import type { Millrace } from './millrace.js';
import { OutageWait } from './outage-wait.js';
import { consumerPlans } from './plan-consumers.js';
import type { RunHandler } from './run-enhanced.js';
import { throwProblems } from './topology.js';

/**
 * Everything in the application that consumes. It starts when the application is ready and, at shutdown, lets handlers end
 * before any provider is destroyed. `app.get(Consumers)` starts and stops it by hand.
 */
@Injectable()
export class Consumers implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy {
  readonly #logger = new Logger('Millrace');
  readonly #discovery: DiscoveryService;
  readonly #handlers: HandlerDiscovery;
  readonly #pipelines: readonly [withGlobal: HandlerPipeline, without: HandlerPipeline];
  readonly #http: HttpAdapterHost | undefined;
  readonly #connections = new Connections();
  readonly #consumers: ConsumerHandle[] = [];
  readonly #plans: HandlerPlan[] = [];
  readonly #waits: { stop(): void }[] = [];
  /** Connections whose consumers were started. */
  readonly #started = new Set<string>();
  #isStopping = false;

  constructor(
    discovery: DiscoveryService,
    handlers: HandlerDiscovery,
    moduleRef: ModuleRef,
    creator: ExternalContextCreator,
    @Optional() http?: HttpAdapterHost,
  ) {
    this.#discovery = discovery;
    this.#handlers = handlers;
    this.#pipelines = [new HandlerPipeline(moduleRef, creator, true), new HandlerPipeline(moduleRef, creator, false)];
    this.#http = http;
  }

  /** Every connection of the application. */
  get connections(): readonly Millrace[] {
    return [...this.#connections.byName.values()];
  }

  /** Every handler that was found, with how it is run: what a test needs to run one without its consumer. */
  get handlers(): readonly HandlerPlan[] {
    return this.#plans;
  }

  /** One entry a consumer; handlers that share a queue share a consumer. */
  get all(): readonly ConsumerHandle[] {
    return this.#consumers;
  }

  /** The consumer that runs a handler, by `Class.method` or the name it was given. */
  find(handler: string): ConsumerHandle | undefined {
    return this.#consumers.find(({ label }) => label.split(', ').includes(handler));
  }

  /**
   * Called by Nest: finds the handlers, checks their options and declares their topology.
   *
   * @throws {OptionsError} with every problem of every handler; connections are closed then
   */
  async onModuleInit(): Promise<void> {
    try {
      await this.#prepare();
    } catch (error) {
      await this.#connections.close();
      throw error;
    }
  }

  /** Called by Nest: starts the consumers, or waits for the HTTP server, as `startConsumers` says. */
  async onApplicationBootstrap(): Promise<void> {
    const manual: string[] = [];
    for (const millrace of this.#connections.byName.values()) {
      const when = millrace.options.startConsumers;
      const http = this.#http?.httpAdapter === undefined ? undefined : this.#http;
      if (when === 'manual') manual.push(millrace.name);
      else if (when === 'listening' && http !== undefined) this.#startWhenListening(millrace, http);
      else await this.#startOrWait(millrace);
    }
  }

  /** Called by Nest: stops the consumers while the application's other providers still work. */
  async onModuleDestroy(): Promise<void> {
    await this.stop();
  }

  /** Starts the consumers of all connections, or of one. */
  async start(connection?: string): Promise<void> {
    for (const name of this.#connections.byName.keys()) if (name === (connection ?? name)) this.#started.add(name);
    for (const consumer of this.#consumers) {
      if (this.#isStopping) return;
      if (connection === undefined || consumer.millrace.name === connection) await consumer.start();
    }
  }

  /** Stops everything that consumes, all at the same time, each by its connection's `shutdownDeadlineMs` at the latest. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const wait of this.#waits) wait.stop();
    const attached = [...this.#connections.byName.values()].flatMap((millrace) => millrace.attached);
    const stops = [...this.#consumers, ...attached].map((service) => service.stop());
    for (const result of await Promise.allSettled(stops)) {
      if (result.status === 'rejected') this.#logger.error(result.reason);
    }
  }

  /**
   * Takes up the handlers of modules that `LazyModuleLoader` has loaded since the application's start, or since this was
   * called last; they begin at once if the consumers of their connection have. Answers their consumers.
   *
   * @throws {OptionsError} with every problem of every new handler; none of them is taken up then
   */
  async discover(): Promise<readonly ConsumerHandle[]> {
    const known = this.#consumers.length;
    await this.#takeUpHandlers();
    const added = this.#consumers.slice(known);
    for (const consumer of added) {
      if (!this.#isStopping && this.#started.has(consumer.millrace.name)) await consumer.start();
    }
    return added;
  }

  /**
   * Handles a topic's records from now on, without a decorator. `stop()` of the answer ends it.
   *
   * @throws {OptionsError} with every problem
   */
  subscribeLog(options: LogHandlerOptions, handler: RunHandler): Promise<ConsumerHandle> {
    return this.#subscribe('log', options, handler);
  }

  /** Handles a queue's messages from now on, without a decorator. @throws {OptionsError} */
  subscribeQueue(options: QueueHandlerOptions, handler: RunHandler): Promise<ConsumerHandle> {
    return this.#subscribe('queue', options, handler);
  }

  async #subscribe(kind: 'log' | 'queue', options: object, handler: RunHandler): Promise<ConsumerHandle> {
    const label = 'name' in options && typeof options.name === 'string' ? options.name : `${kind} subscription`;
    const problems: string[] = [];
    const found = { label, kind, options, policies: {}, payloadClass: undefined };
    const plans = await this.#plan([found], problems, () => handler);
    const [plan] = consumerPlans(plans, (problem) => problems.push(problem));
    throwProblems(label, problems);
    if (plan === undefined) throw new Error(`${label}: nothing to consume`);
    const handle: ConsumerHandle = new ConsumerHandle(plan, () => this.#forget(handle));
    this.#consumers.push(handle);
    await handle.start();
    return handle;
  }

  async #plan<H extends PlannedHandler>(
    handlers: readonly H[],
    problems: string[],
    pipeline: (handler: H, globalEnhancers: boolean) => RunHandler,
  ): Promise<HandlerPlan[]> {
    const report = (problem: string): void => {
      problems.push(problem);
    };
    const plans: HandlerPlan[] = [];
    for (const handler of handlers) {
      const run = (globalEnhancers: boolean): RunHandler => pipeline(handler, globalEnhancers);
      const plan = await planHandler(handler, { connections: this.#connections.byName, pipeline: run, report });
      if (plan !== undefined) plans.push(plan);
    }
    return plans;
  }

  #forget(handle: ConsumerHandle): void {
    const index = this.#consumers.indexOf(handle);
    if (index >= 0) this.#consumers.splice(index, 1);
  }

  async #prepare(): Promise<void> {
    const problems: string[] = [];
    this.#connections.find(this.#discovery, (problem) => problems.push(problem));
    await this.#takeUpHandlers(problems);
  }

  async #takeUpHandlers(problems: string[] = []): Promise<void> {
    const plans = await this.#plan(await this.#handlers.discover(), problems, ({ method }, globalEnhancers) =>
      this.#pipelines[globalEnhancers ? 0 : 1].create(method),
    );
    const consumers = consumerPlans(plans, (problem) => problems.push(problem)).map((plan) =>
      this.#make(plan, problems),
    );
    throwProblems('Millrace handlers', problems);
    this.#plans.push(...plans);
    this.#consumers.push(...consumers.filter((consumer) => consumer !== undefined));
  }

  #make(plan: ConsumerPlan, problems: string[]): ConsumerHandle | undefined {
    const other = this.#consumers.find(({ source, millrace }) => source === plan.source && millrace === plan.millrace);
    if (other !== undefined) {
      problems.push(`${plan.label}: ${other.label} consumes from ${plan.source} already: load their modules together`);
      return undefined;
    }
    try {
      return new ConsumerHandle(plan);
    } catch (error) {
      const texts = error instanceof Error && 'problems' in error ? error.problems : undefined;
      if (!Array.isArray(texts)) throw error;
      problems.push(...texts.map((text) => `${plan.label}: ${text}`));
      return undefined;
    }
  }

  async #startOrWait(millrace: Millrace): Promise<void> {
    const start = async (): Promise<void> => {
      await millrace.ready();
      await this.start(millrace.name);
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
