import { type Outcome, type RetryPolicy, resolveOptions, retryPolicy, type Settlement, settle } from '@millrace/core';
import { deliver } from '@millrace/delivery';
import { Consumers, type ResolvedHandler } from '@millrace/nestjs';
import type { INestApplication } from '@nestjs/common';
import type { TestingModuleBuilder } from '@nestjs/testing';
import { HarnessContext, type MessageFacts } from './harness-context.js';
import { asReceived, HarnessMillrace } from './harness-millrace.js';
import { Journal } from './journal.js';
import { overrideConnections } from './override-connections.js';

/** One delivery: the outcome of the handler, and what would be written to Redis. */
export interface HarnessDelivery {
  /** `OrderHandlers.onOrder` */
  readonly handler: string;
  /** From 1. */
  readonly attempt: number;
  /** The outcome of the handler. */
  readonly outcome: Outcome;
  /** The settlement by the retry policy. */
  readonly settlement: Settlement;
  /** The context of the handler, with the progress that it reported. */
  readonly context: HarnessContext;
}

interface DueDelivery {
  readonly dueMs: number;
  readonly handler: ResolvedHandler;
  readonly payload: unknown;
  readonly facts: MessageFacts;
}

/**
 * An application without Redis, with a clock that only moves when it is advanced. Messages are passed to handlers one by one, through all
 * steps of a real delivery: codec, validation, guards, interceptors, pipes, filters, retry policy.
 */
export class OfflineHarness {
  /** The running application, without Redis. */
  readonly application: INestApplication;
  /** The messages published and handled in it. */
  readonly journal: Journal;
  #nowMs = 0;
  #due: DueDelivery[] = [];

  private constructor(application: INestApplication, journal: Journal) {
    this.application = application;
    this.journal = journal;
  }

  /**
   * Builds and starts the application of a testing module; its connections (given by name) connect to no Redis.
   * `await OfflineHarness.start(Test.createTestingModule({ imports: [AppModule] }))`
   */
  static async start(
    builder: TestingModuleBuilder,
    connections: readonly string[] = ['default'],
  ): Promise<OfflineHarness> {
    const journal = new Journal();
    overrideConnections(builder, connections, (name, options) => {
      const offline = { ...options, waitForRedis: 'background', startConsumers: 'manual', logging: false } as const;
      return new HarnessMillrace(name, offline, journal, { isOffline: true });
    });
    const module = await builder.compile();
    const application = module.createNestApplication({ logger: false });
    await application.init();
    return new OfflineHarness(application, journal);
  }

  /** Milliseconds since the start, by the harness's clock. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Retries that are not due yet. */
  get waiting(): number {
    return this.#due.length;
  }

  /**
   * Passes a message to a handler, given as `Class.method` or by its name.
   *
   * @throws {Error} there is no such handler, or the payload cannot be encoded
   */
  async handle(handler: string, payload: unknown, facts: MessageFacts = {}): Promise<HarnessDelivery> {
    return this.#deliver(this.#find(handler), asReceived(payload), facts);
  }

  /** Advances the clock and runs the retries that become due; resolves to their deliveries, in order. */
  async advance(ms: number): Promise<HarnessDelivery[]> {
    const until = this.#nowMs + ms;
    const deliveries: HarnessDelivery[] = [];
    for (;;) {
      const next = this.#due.filter(({ dueMs }) => dueMs <= until).sort((a, b) => a.dueMs - b.dueMs)[0];
      if (next === undefined) break;
      this.#due = this.#due.filter((due) => due !== next);
      this.#nowMs = next.dueMs;
      deliveries.push(await this.#deliver(next.handler, next.payload, next.facts));
    }
    this.#nowMs = until;
    return deliveries;
  }

  /** Ends the application. */
  async stop(): Promise<void> {
    await this.application.close();
  }

  async #deliver(handler: ResolvedHandler, payload: unknown, facts: MessageFacts): Promise<HarnessDelivery> {
    const {
      topic = '',
      queue = '',
      group = '',
    }: { topic?: unknown; queue?: unknown; group?: unknown } = handler.options;
    const context = new HarnessContext({ topic: nameOf(topic), queue: nameOf(queue), group: String(group) }, facts);
    const { attempt } = context;
    const outcome = await deliver(
      { handle: handler.run, validate: handler.validate, handlerTimeoutMs: 0 },
      context,
      () => payload,
    );
    const settlement = settle(outcome, attempt, policyOf(handler), 0.5);
    const { label } = handler;
    this.journal.handled.push({ handler: label, outcome: outcome.kind, attempt });
    if (settlement.kind === 'dead-letter') {
      this.journal.deadLetters.push({ handler: label, reason: settlement.reason, error: settlement.error });
    }
    if (settlement.kind === 'retry') {
      const next = { ...facts, attempt: settlement.countsAsAttempt ? attempt + 1 : attempt };
      this.#due.push({ dueMs: this.#nowMs + settlement.delayMs, handler, payload, facts: next });
    }
    return { handler: label, attempt, outcome, settlement, context };
  }

  #find(handler: string): ResolvedHandler {
    const { handlers } = this.application.get(Consumers);
    const found = handlers.find(({ label }) => label === handler);
    if (found !== undefined) return found;
    const known = handlers.map(({ label }) => label).join(', ') || 'none';
    throw new Error(`there is no handler "${handler}". Handlers of this application: ${known}.`);
  }
}

function policyOf({ retry }: ResolvedHandler): RetryPolicy {
  return resolveOptions<{ retry: RetryPolicy }>('handler', { retry: retryPolicy() }, { retry }).retry;
}

function nameOf(source: unknown): string {
  if (typeof source === 'string') return source;
  return typeof source === 'object' && source !== null && 'name' in source ? String(source.name) : String(source);
}
