import {
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type OnModuleInit,
  Optional,
} from '@nestjs/common';
import { DiscoveryService, ExternalContextCreator, HttpAdapterHost, ModuleRef } from '@nestjs/core';
import { ConsumerHandle } from './consumer-handle.js';
import type { ConsumerPlan } from './consumer-plan.js';
import { HandlerDiscovery } from './handler-discovery.js';
import type { LogHandlerOptions, QueueHandlerOptions } from './handler-options.js';
import { HandlerPipeline } from './handler-pipeline.js';
import { type HandlerPlan, type PlannedHandler, planHandler } from './handler-plan.js';
import { Millrace } from './millrace.js';
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
  readonly #connections = new Map<string, Millrace>();
  /** Also of two that have the same name, which stops the start: both are closed then. */
  readonly #all = new Set<Millrace>();
  readonly #consumers: ConsumerHandle[] = [];
  readonly #plans: HandlerPlan[] = [];
  readonly #waits: { stop(): void }[] = [];
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

  get connections(): readonly Millrace[] {
    return [...this.#connections.values()];
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

  /** @throws {OptionsError} with every problem of every handler; connections are closed then */
  async onModuleInit(): Promise<void> {
    try {
      await this.#prepare();
    } catch (error) {
      await this.#closeConnections();
      throw error;
    }
  }

  async onApplicationBootstrap(): Promise<void> {
    const manual: string[] = [];
    for (const millrace of this.#connections.values()) {
      const when = millrace.options.startConsumers;
      const http = this.#http?.httpAdapter === undefined ? undefined : this.#http;
      if (when === 'manual') manual.push(millrace.name);
      else if (when === 'listening' && http !== undefined) this.#startWhenListening(millrace, http);
      else await this.#startOrWait(millrace);
    }
  }

  async onModuleDestroy(): Promise<void> {
    await this.stop();
  }

  /** Starts the consumers of all connections, or of one. */
  async start(connection?: string): Promise<void> {
    for (const consumer of this.#consumers) {
      if (this.#isStopping) return;
      if (connection === undefined || consumer.millrace.name === connection) await consumer.start();
    }
  }

  /** Stops everything that consumes, all at the same time, each by its connection's `shutdownDeadlineMs` at the latest. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const wait of this.#waits) wait.stop();
    const attached = [...this.#connections.values()].flatMap((millrace) => millrace.attached);
    const stops = [...this.#consumers, ...attached].map((service) => service.stop());
    for (const result of await Promise.allSettled(stops)) {
      if (result.status === 'rejected') this.#logger.error(result.reason);
    }
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
      const plan = await planHandler(handler, { connections: this.#connections, pipeline: run, report });
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
    this.#findConnections(problems);
    const plans = await this.#plan(await this.#handlers.discover(), problems, ({ method }, globalEnhancers) =>
      this.#pipelines[globalEnhancers ? 0 : 1].create(method),
    );
    this.#plans.push(...plans);
    for (const plan of consumerPlans(plans, (problem) => problems.push(problem))) this.#add(plan, problems);
    throwProblems('Millrace handlers', problems);
  }

  #findConnections(problems: string[]): void {
    for (const { instance, isAlias } of this.#discovery.getProviders()) {
      if (isAlias || !(instance instanceof Millrace)) continue;
      this.#all.add(instance);
      const other = this.#connections.get(instance.name);
      if (other !== undefined && other !== instance) {
        problems.push(`two forRoot make a connection named "${instance.name}": give each its own name`);
      }
      this.#connections.set(instance.name, instance);
    }
  }

  #add(plan: ConsumerPlan, problems: string[]): void {
    try {
      this.#consumers.push(new ConsumerHandle(plan));
    } catch (error) {
      const texts = error instanceof Error && 'problems' in error ? error.problems : undefined;
      if (!Array.isArray(texts)) throw error;
      problems.push(...texts.map((text) => `${plan.label}: ${text}`));
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

  async #closeConnections(): Promise<void> {
    await Promise.all([...this.#all].map((millrace) => millrace.close()));
  }
}
