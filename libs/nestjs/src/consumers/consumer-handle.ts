import { ClosedError, OptionsError } from '@millrace/core';
import { runOutsideHandlers } from '@millrace/delivery';
import type { GroupConsumer, OwnedPartition, SeekTarget, TopicPartition } from '@millrace/log';
import type { QueueConsumer } from '@millrace/queue';
import type { Millrace } from '../module/millrace.js';
import type { ConsumerPlan } from '../plans/consumer-plan.js';
import { declareConsumers } from '../topology/declare-topology.js';
import { DrainReport, logStarted } from './drain-report.js';
import { warnOfMissingTopics } from './missing-topics.js';

/** Called when a consumer starts and when it has stopped. */
interface ConsumerHandleListener {
  /** An error that it throws prevents the start. */
  starting?(): void;
  stopped?(): void;
}

/** One consumer of this application: it can be stopped and started again while the application runs. */
export class ConsumerHandle {
  readonly #plan: ConsumerPlan;
  readonly #listener: ConsumerHandleListener;
  #service: QueueConsumer | GroupConsumer | undefined;
  /** A new one per start: work that began before a stop does not continue after it. */
  #run: symbol | undefined;
  #stopping: Promise<unknown> = Promise.resolve();
  /** Whether its start was logged, so that its stop is too. */
  #isLogged = false;

  /** @throws {OptionsError} the consumer's options are wrong */
  constructor(plan: ConsumerPlan, listener: ConsumerHandleListener = {}) {
    this.#plan = plan;
    this.#listener = listener;
    // Created once to check its options; it does nothing until it is started.
    this.#service = plan.make();
  }

  /** The consumer that it runs, and what must be declared before. */
  get plan(): ConsumerPlan {
    return this.#plan;
  }

  /** The handlers it runs: `OrderController.onOrder`. */
  get label(): string {
    return this.#plan.label;
  }

  /** Its source, such as `queue "emails"`. */
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

  /** The topics it reads by name; none when it consumes from a queue, or reads topics by a pattern. */
  get topics(): readonly string[] {
    const { topics = [] } = this.#plan;
    return topics instanceof RegExp ? [] : topics;
  }

  /** Descriptions of the partitions that stand still because only a newer process can read their next batch. */
  get standstills(): readonly string[] {
    return this.assignment.flatMap(({ topic, partition, position, unreadable }) =>
      unreadable === undefined
        ? []
        : [`${topic}/${partition} stands still: the batch at offset ${position} ${unreadable}`],
    );
  }

  /** Whether it runs: it was started and not stopped since. */
  get isRunning(): boolean {
    return this.#run !== undefined;
  }

  /**
   * Declares what its decorators require and starts consuming. Does nothing when it runs.
   *
   * @throws {ClosedError} the application was shut down: the consumer would never be drained
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
      if (this.#run !== run) return;
      this.#isLogged = this.millrace.options.logging;
      if (this.#isLogged) logStarted(this.#plan);
      await warnOfMissingTopics(this.#plan);
    } catch (error) {
      await this.stop({ deadlineMs: 0 });
      throw error;
    }
  }

  /** The partitions that it currently owns, with their offsets; empty when it consumes from a queue or does not run. */
  get assignment(): readonly OwnedPartition[] {
    const service = this.isRunning ? this.#service : undefined;
    return service !== undefined && 'assignment' in service ? service.assignment : [];
  }

  /**
   * Starts no handler until `resume`; with `partitions`, only records of these are held back. Resolves when the running handlers have
   * ended. A consumer that is stopped and started is no longer paused.
   *
   * @throws {ClosedError} it does not run
   * @throws {OptionsError} a queue has no partitions
   */
  async pause(partitions?: readonly TopicPartition[]): Promise<void> {
    const service = this.#running();
    if ('seek' in service) return service.pause(partitions);
    this.#assertNone(partitions);
    await service.pause();
  }

  /** Continues after `pause`. @throws {ClosedError} it does not run @throws {OptionsError} a queue has no partitions */
  resume(partitions?: readonly TopicPartition[]): void {
    const service = this.#running();
    if ('seek' in service) {
      service.resume(partitions);
      return;
    }
    this.#assertNone(partitions);
    service.resume();
  }

  /**
   * Sets the group's offset in a partition that this consumer owns (see `assignment`), and continues there.
   *
   * @throws {ClosedError} it does not run
   * @throws {OptionsError} it consumes from a queue, which has no offsets
   * @throws {LeaseLostError} another member has the partition
   * @throws {OffsetOutOfRangeError} the log does not hold that offset
   */
  async seek(partition: TopicPartition, to: SeekTarget): Promise<void> {
    const service = this.#running();
    if (!('seek' in service)) {
      throw new OptionsError(this.label, [`${this.source} has no offsets: only the consumer of a topic can seek`]);
    }
    await service.seek(partition, to);
  }

  /**
   * Takes no more messages, lets handlers in flight end, and gives back the messages that they do not finish in time. Called inside a
   * handler it resolves immediately; a shutdown still waits for that handler.
   */
  stop({ deadlineMs = this.millrace.options.shutdownDeadlineMs } = {}): Promise<void> {
    const { events } = this.millrace;
    const onError = (error: unknown): void =>
      void events.emit('background-error', { duty: `stop ${this.label}`, error });
    return runOutsideHandlers(() => this.#stop(deadlineMs), onError);
  }

  async #stop(deadlineMs: number): Promise<void> {
    const service = this.#service;
    this.#service = undefined;
    this.#run = undefined;
    const drain = this.#isLogged ? new DrainReport(this.#plan) : undefined;
    this.#isLogged = false;
    // A second call (the shutdown) waits for the same handlers.
    this.#stopping = Promise.all([this.#stopping.catch(() => undefined), service?.stop({ deadlineMs })]);
    try {
      await this.#stopping;
    } finally {
      drain?.write();
      if (!this.isRunning) this.#listener.stopped?.();
    }
  }

  #running(): QueueConsumer | GroupConsumer {
    if (this.#service === undefined || !this.isRunning) throw new ClosedError(`${this.label}, which does not run,`);
    return this.#service;
  }

  #assertNone(partitions: readonly TopicPartition[] | undefined): void {
    if (partitions !== undefined) throw new OptionsError(this.label, [`${this.source} has no partitions`]);
  }
}
