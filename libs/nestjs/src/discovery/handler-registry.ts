import { ClosedError } from '@millrace/core';
import { Injectable } from '@nestjs/common';
import { DiscoveryService, ExternalContextCreator, ModuleRef } from '@nestjs/core';
import { ConsumerHandle } from '../consumers/consumer-handle.js';
import type { HandlerSource } from '../decorators/handler-decorators.js';
import { Connections } from '../module/connections.js';
import type { Millrace } from '../module/millrace.js';
import { HandlerPipeline } from '../pipeline/handler-pipeline.js';
import type { RunHandler } from '../pipeline/run-enhanced.js';
import type { ConsumerPlan } from '../plans/consumer-plan.js';
import { consumerPlans } from '../plans/consumers-of-handlers.js';
import { type ResolvedHandler, resolveHandler, type UnresolvedHandler } from '../plans/resolved-handler.js';
import { declareConsumers } from '../topology/declare-topology.js';
import { throwProblems } from '../topology/topology.js';
import { warnOfForgottenHandlers } from './forgotten-handlers.js';
import { HandlerDiscovery } from './handler-discovery.js';
import { warnOfUnknownPayloads } from './unknown-payloads.js';

/**
 * The application's connections and handlers, and the consumers that run the handlers: finds, checks and declares them, but does not
 * start them.
 */
@Injectable()
export class HandlerRegistry {
  readonly connections = new Connections();
  readonly #discovery: DiscoveryService;
  readonly #handlers: HandlerDiscovery;
  readonly #pipelines: readonly [withGlobal: HandlerPipeline, without: HandlerPipeline];
  readonly #consumers = new Set<ConsumerHandle>();
  readonly #resolved: ResolvedHandler[] = [];
  #found: Promise<void> | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(
    discovery: DiscoveryService,
    handlers: HandlerDiscovery,
    moduleRef: ModuleRef,
    creator: ExternalContextCreator,
  ) {
    this.#discovery = discovery;
    this.#handlers = handlers;
    this.#pipelines = [new HandlerPipeline(moduleRef, creator, true), new HandlerPipeline(moduleRef, creator, false)];
  }

  /** One entry per consumer; handlers that share a queue share a consumer. */
  get consumers(): readonly ConsumerHandle[] {
    return [...this.#consumers];
  }

  /** Every discovered handler, resolved. */
  get resolved(): readonly ResolvedHandler[] {
    return this.#resolved;
  }

  /**
   * Finds connections and handlers: once, for the start or for the first publish before it.
   *
   * @throws {OptionsError} with every problem of every handler
   */
  find(): Promise<void> {
    this.#found ??= this.#findAll();
    return this.#found;
  }

  /**
   * Adds the handlers of modules that were loaded since the last call; resolves to their consumers.
   *
   * @throws {OptionsError} with every problem of every new handler; none of them is added then
   */
  takeUp(problems: string[] = []): Promise<readonly ConsumerHandle[]> {
    // Calls run one after the other: none may overtake another that still waits for the options of handlers.
    const taken = this.#turn.then(() => this.#takeUpNew(problems));
    this.#turn = taken.catch(() => undefined);
    return taken;
  }

  /** The consumer of a handler without a method. @throws {OptionsError} */
  async subscribe(source: HandlerSource, handler: RunHandler): Promise<ConsumerHandle> {
    const label = source.options.name ?? `${source.kind} subscription`;
    const problems: string[] = [];
    // A start hook may subscribe before the handlers were discovered.
    this.connections.find(this.#discovery, (problem) => problems.push(problem));
    const found = { ...source, label, policies: {}, payloadClass: undefined, hasTypes: true };
    const resolved = await this.#resolve([found], problems, () => handler);
    const [plan] = consumerPlans(resolved, (problem) => problems.push(problem));
    throwProblems(label, problems);
    if (plan === undefined) throw new Error(`${label}: nothing to consume`);
    // While it runs, also after another start, it is one of the application's consumers and drained with them.
    const handle: ConsumerHandle = new ConsumerHandle(plan, {
      starting: () => this.#join(handle),
      stopped: () => this.#leave(handle),
    });
    return handle;
  }

  /** Called at shutdown: nothing starts afterwards. */
  close(): void {
    this.#isClosed = true;
  }

  /** Declares what the handlers of a connection bind and consume from; by default for all its consumers. */
  async declare(millrace: Millrace, handles: readonly ConsumerHandle[] = this.consumers): Promise<void> {
    const own = handles.filter((handle) => handle.millrace === millrace);
    await declareConsumers(
      millrace,
      own.map(({ plan }) => plan),
    );
  }

  async #findAll(): Promise<void> {
    const problems: string[] = [];
    this.connections.find(this.#discovery, (problem) => problems.push(problem));
    await this.takeUp(problems);
    const isLogging = [...this.connections.byName.values()].some(({ options }) => options.logging);
    if (isLogging) warnOfForgottenHandlers(this.#handlers.prototypes);
  }

  async #takeUpNew(problems: string[]): Promise<readonly ConsumerHandle[]> {
    const handlers = await this.#handlers.discover();
    const resolved = await this.#resolve(handlers, problems, ({ method }, globalEnhancers) =>
      this.#pipelines[globalEnhancers ? 0 : 1].create(method),
    );
    const plans = consumerPlans(resolved, (problem) => problems.push(problem));
    const made = plans.map((plan) => this.#make(plan, problems));
    for (const millrace of this.connections.byName.values()) problems.push(...conflictsWith(plans, millrace));
    throwProblems('Millrace handlers', problems);
    await warnOfUnknownPayloads(resolved);
    const consumers = made.filter((consumer) => consumer !== undefined);
    this.#resolved.push(...resolved);
    for (const consumer of consumers) {
      const { plan, label, millrace } = consumer;
      this.#consumers.add(consumer);
      millrace.consumed.add(plan);
      millrace.declared.addHandlers(label, plan.topology);
    }
    return consumers;
  }

  async #resolve<H extends UnresolvedHandler>(
    handlers: readonly H[],
    problems: string[],
    pipeline: (handler: H, globalEnhancers: boolean) => RunHandler,
  ): Promise<ResolvedHandler[]> {
    const report = (problem: string): void => {
      problems.push(problem);
    };
    const resolved: ResolvedHandler[] = [];
    for (const handler of handlers) {
      const run = (globalEnhancers: boolean): RunHandler => pipeline(handler, globalEnhancers);
      const one = await resolveHandler(handler, { connections: this.connections.byName, pipeline: run, report });
      if (one !== undefined) resolved.push(one);
    }
    return resolved;
  }

  #make(plan: ConsumerPlan, problems: string[]): ConsumerHandle | undefined {
    const problem = plan.millrace.consumed.problemOf(plan);
    if (problem !== undefined) {
      problems.push(`${problem}: load their modules together`);
      return undefined;
    }
    try {
      return new ConsumerHandle(plan, { starting: () => this.#assertOpen() });
    } catch (error) {
      const texts = error instanceof Error && 'problems' in error ? error.problems : undefined;
      if (!Array.isArray(texts)) throw error;
      problems.push(...texts.map((text) => `${plan.label}: ${text}`));
      return undefined;
    }
  }

  /** @throws {OptionsError} another consumer has taken the same source meanwhile */
  #join(handle: ConsumerHandle): void {
    this.#assertOpen();
    const { plan, label, millrace } = handle;
    const problem = millrace.consumed.problemOf(plan);
    if (problem !== undefined) throwProblems(label, [`${problem}: stop that first`]);
    millrace.consumed.add(plan);
    this.#consumers.add(handle);
  }

  #leave(handle: ConsumerHandle): void {
    this.#consumers.delete(handle);
    handle.millrace.consumed.release(handle.plan);
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new ClosedError("the application's consumers");
  }
}

/** The declarations of handlers that contradict those of the connection's modules or of earlier handlers. */
function conflictsWith(plans: readonly ConsumerPlan[], millrace: Millrace): string[] {
  const own = plans.filter((plan) => plan.millrace === millrace);
  return millrace.declared.conflicts(own.map(({ label, topology }) => ({ place: () => label, topology })));
}
