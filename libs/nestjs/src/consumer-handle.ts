import { DrainLog, logStarted } from './consumer-log.js';
import type { ConsumerPlan } from './consumer-plan.js';
import { declareConsumers } from './declare-topology.js';
import type { Millrace } from './millrace.js';
import { tellOfMissingTopics } from './missing-topics.js';

/** Is told when a consumer starts and when it has stopped. */
interface ConsumerHandleListener {
  /** What it throws refuses the start. */
  starting?(): void;
  stopped?(): void;
}

/** One consumer of this application, to be stopped and started again while the application runs. */
export class ConsumerHandle {
  readonly #plan: ConsumerPlan;
  readonly #listener: ConsumerHandleListener;
  #service: ReturnType<ConsumerPlan['make']> | undefined;
  /** Another with each start: what began before a stop does not go on after it. */
  #run: symbol | undefined;
  #stopping: Promise<unknown> = Promise.resolve();
  /** Whether the log says that it consumes. */
  #isLogged = false;

  /** @throws {OptionsError} the consumer's options are wrong */
  constructor(plan: ConsumerPlan, listener: ConsumerHandleListener = {}) {
    this.#plan = plan;
    this.#listener = listener;
    // Made once to have its options checked; it does nothing until it is started.
    this.#service = plan.make();
  }

  /** How it consumes, and what must be declared before. */
  get plan(): ConsumerPlan {
    return this.#plan;
  }

  /** The handlers it runs: `OrderController.onOrder`. */
  get label(): string {
    return this.#plan.label;
  }

  /** What it consumes from, in words: `queue "emails"`. */
  get source(): string {
    return this.#plan.source;
  }

  /** The connection it consumes over. */
  get millrace(): Millrace {
    return this.#plan.millrace;
  }

  /** The queue it consumes from; undefined when it reads topics. */
  get queue(): string | undefined {
    return this.#plan.queue;
  }

  /** The group it is a member of; undefined when it consumes from a queue. */
  get group(): string | undefined {
    return this.#plan.group;
  }

  /** Partitions that stand still because only a newer process can read their next batch, in words. */
  get standstills(): readonly string[] {
    return (this.#service?.assignment ?? []).flatMap(({ topic, partition, position, unreadable }) =>
      unreadable === undefined
        ? []
        : [`${topic}/${partition} stands still: the batch at offset ${position} ${unreadable}`],
    );
  }

  /** Whether it was started and not stopped since. */
  get isRunning(): boolean {
    return this.#run !== undefined;
  }

  /**
   * Declares what its decorators say and begins to consume. Nothing happens when it runs.
   *
   * @throws {ClosedError} the application was shut down: there is nobody left who would drain it
   */
  async start(): Promise<void> {
    if (this.isRunning) return;
    this.#listener.starting?.();
    const run = Symbol(this.label);
    this.#run = run;
    try {
      await declareConsumers(this.millrace, [this.#plan]);
      if (this.#run !== run) return;
      this.#service ??= this.#plan.make();
      await this.#service.start();
      this.#isLogged = true;
      logStarted(this.#plan);
      await tellOfMissingTopics(this.#plan);
    } catch (error) {
      await this.stop({ deadlineMs: 0 });
      throw error;
    }
  }

  /** Takes nothing more, lets handlers in flight end, and gives back what they do not finish in time. Inside a handler it is not waited for. */
  async stop({ deadlineMs = this.millrace.options.shutdownDeadlineMs } = {}): Promise<void> {
    const service = this.#service;
    this.#service = undefined;
    this.#run = undefined;
    const drain = this.#isLogged ? new DrainLog(this.#plan) : undefined;
    this.#isLogged = false;
    // Whoever calls meanwhile (the shutdown) waits for the same handlers.
    this.#stopping = Promise.all([this.#stopping.catch(() => undefined), service?.stop({ deadlineMs })]);
    await this.#stopping.finally(() => drain?.write());
    if (this.#run === undefined) this.#listener.stopped?.();
  }
}
