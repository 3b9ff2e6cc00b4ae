import type { Outcome } from '@millrace/core';
import { deliverTo, InFlight } from '@millrace/delivery';
import type { PartitionWorker } from './partition-worker.js';
import type { RecordContext, RecordTask } from './record-context.js';
import { type Again, RecordSettler } from './record-settler.js';
import { RunningTasks } from './running-tasks.js';
import type { WorkerHost } from './worker-host.js';

/** After so many owners in a row that died without getting on, a record may be what kills them. */
const suspiciousCrashes = 2;

/** Longest time a timer can wait. */
const forEverMs = 2 ** 31 - 1;

/** Runs the handler, record by record. */
export class RecordRunner {
  readonly #worker: PartitionWorker;
  readonly #host: WorkerHost;
  readonly #settler: RecordSettler;
  readonly #inHand = new InFlight();
  /** Handlers whose outcome is not known yet. */
  readonly #running = new RunningTasks();
  /** How many more records are run one by one, each attempt written down before it begins. */
  #careful: number;

  constructor(worker: PartitionWorker, host: WorkerHost, crashes: number) {
    this.#worker = worker;
    this.#host = host;
    this.#settler = new RecordSettler(worker, host);
    this.#careful = crashes >= suspiciousCrashes ? host.options.concurrency : 0;
  }

  /** Starts one record; false when none may start. */
  startNext(monotonicNow: number): boolean {
    if (this.#careful > 0 && this.#inHand.count > 0) return false;
    const task = this.#worker.queue.take();
    if (task === undefined) return false;
    this.#inHand.begin();
    this.#host.dispatcher.began(1);
    if (task.verdict !== undefined) void this.#afterwards(task, this.#settler.bury(task, task.verdict));
    else if (this.#careful > 0) void this.#runCarefully(task);
    else this.#run(task, monotonicNow);
    return true;
  }

  /** Takes back what is in hand; what user code still does counts for nothing. */
  abandon(reason: Error): void {
    for (const task of this.#running.all()) task.abandon(reason);
  }

  /** True when nothing is in hand any more, false when the time was over before. */
  idle(timeoutMs: number): Promise<boolean> {
    return this.#inHand.drained(Math.min(timeoutMs, forEverMs));
  }

  #run(task: RecordTask, monotonicNow: number): void {
    if (this.#host.events.has('handled')) task.startedAt = monotonicNow;
    deliverTo<RecordContext>(this.#host.plan, task, this.#decode, this.#decided);
    if (!task.isDecided) this.#running.add(task);
  }

  readonly #decode = (context: RecordContext): unknown => {
    const task = context as RecordTask;
    return task.decode(this.#host.codecs.get(task.codecId));
  };

  readonly #decided = (outcome: Outcome, context: RecordContext): void => {
    const task = context as RecordTask;
    task.isDecided = true;
    this.#running.delete(task);
    if (task.startedAt > 0) this.#report(task, outcome);
    if (outcome.kind === 'completed') {
      this.#settler.completed(task);
      this.#finish(task);
    } else {
      // After an overrun user code still runs: its key stays closed until it has really ended.
      void this.#afterwards(
        task,
        task.handlerEnded.then(() => this.#settler.settle(task, outcome)),
      );
    }
  };

  async #afterwards(task: RecordTask, settled: Promise<Again | undefined>): Promise<void> {
    const again = await settled;
    if (again === undefined) {
      this.#finish(task);
      return;
    }
    if (!this.#worker.isClosed) this.#worker.queue.retry(again.task, again.delayMs);
    this.#end();
  }

  #finish(task: RecordTask): void {
    if (this.#careful > 0) this.#careful--;
    this.#worker.finish(task);
    this.#end();
  }

  #end(): void {
    this.#inHand.end();
    this.#host.dispatcher.ended();
  }

  /** A record that ends its process leaves no failure behind: so the attempt is counted before it begins. */
  async #runCarefully(task: RecordTask): Promise<void> {
    const { offsets } = this.#worker;
    const { maxRetries } = this.#host.options.retry;
    if (task.attempt > maxRetries + 1) {
      const error = new Error(`the process ended each time this record was handled, ${task.attempt - 1} times`);
      await this.#afterwards(task, this.#settler.bury(task, { reason: 'failed', error }));
      return;
    }
    offsets.failed(task.offset, task.attempt);
    try {
      await offsets.commit();
    } catch (error) {
      this.#host.onError(`note an attempt at ${task.describe()}`, error);
    }
    this.#run(task, performance.now());
  }

  #report(task: RecordTask, outcome: Outcome): void {
    const { attempt, timestamp, startedAt } = task;
    const durationMs = performance.now() - startedAt;
    const { handler, source, group } = this.#host.labelsOf(task.topic);
    // Field by field: spreading the labels would cost every single record half as much again.
    const event = { handler, source, group, outcome: outcome.kind, attempt, durationMs, timestamp, startedAt };
    this.#host.events.emit('handled', event);
  }
}
