import { performance } from 'node:perf_hooks';
import { LinkedList, type Outcome } from '@millrace/core';
import { deliverTo, HandledRun, InFlight } from '@millrace/delivery';
import type { PartitionWorker } from './partition-worker.js';
import type { RecordContext } from './record-context.js';
import { type NextAttempt, RecordSettler } from './record-settler.js';
import type { RecordTask } from './record-task.js';
import type { WorkerContext } from './worker-context.js';

/** Runs the handler, record by record. */
export class RecordRunner {
  readonly #worker: PartitionWorker;
  readonly #context: WorkerContext;
  readonly #settler: RecordSettler;
  readonly #inFlight = new InFlight();
  /** Those whose handler runs. */
  readonly #running = new LinkedList<RecordTask>();
  /** What ended within this turn of the event loop, emitted at its end. */
  readonly #ended: HandledRun;
  /** Whether there is a listener; checked once per turn. */
  #isWatched: boolean | undefined;

  constructor(worker: PartitionWorker, context: WorkerContext) {
    this.#worker = worker;
    this.#context = context;
    this.#settler = new RecordSettler(worker, context);
    this.#ended = new HandledRun(context.labelsOf(worker.topic));
  }

  /** Starts one record; false when none may start. */
  startNext(monotonicNow: number): boolean {
    this.#ended.endedBy(monotonicNow);
    const { queue, quarantine } = this.#worker;
    const task = queue.take();
    if (task === undefined) return false;
    const isSuspect = quarantine.suspects(task);
    if (isSuspect && !this.#context.dispatcher.claimAll(this.#worker)) {
      queue.putBack(task);
      return false;
    }
    this.#inFlight.begin();
    this.#context.dispatcher.began(1);
    if (task.deadLetter !== undefined || isSuspect) queue.lockKey(task);
    if (task.deadLetter !== undefined) void this.#afterwards(task, this.#settler.deadLetter(task, task.deadLetter));
    else if (isSuspect) void this.#runSuspect(task);
    else this.#run(task, monotonicNow);
    return true;
  }

  endTurn(monotonicNow: number): void {
    this.#isWatched = undefined;
    if (this.#ended.count === 0) return;
    this.#ended.endedBy(monotonicNow);
    this.#context.events.emitRun(this.#ended);
  }

  get isIdle(): boolean {
    return this.#inFlight.count === 0;
  }

  /** Abandons what is in flight; the outcomes of handlers that still run are ignored. */
  abandon(reason: Error): void {
    for (const task of [...this.#running]) task.abandon(reason);
  }

  /** True when no handler runs any more, false when the timeout passed first. */
  idle(timeoutMs: number): Promise<boolean> {
    return this.#inFlight.drained(timeoutMs);
  }

  #run(task: RecordTask, monotonicNow: number): void {
    this.#isWatched ??= this.#context.events.has('handled');
    if (this.#isWatched) task.startedAt = monotonicNow;
    if (deliverTo<RecordContext>(this.#context.plan, task, this.#decode, this.#decided)) return;
    // Emitted before it ends: a consumer's stop logs what it drained.
    task.startedAt = monotonicNow;
    this.#worker.queue.lockKey(task);
    this.#running.push(task);
  }

  readonly #decode = (context: RecordContext): unknown => {
    const task = context as RecordTask;
    return task.decode(this.#context.codecs.get(task.codecId));
  };

  readonly #decided = (outcome: Outcome, context: RecordContext, endedAtStart: boolean): void => {
    const task = context as RecordTask;
    task.decided();
    this.#running.remove(task);
    if (task.startedAt > 0) this.#report(task, outcome, endedAtStart);
    if (outcome.kind === 'completed') {
      this.#settler.completed(task);
      this.#finish(task);
    } else {
      this.#worker.queue.lockKey(task);
      void this.#afterwards(task, this.#settleReleased(task, outcome));
    }
  };

  /**
   * Its key stays held while its handler runs, but no longer than the handler may take to end: then the next attempt has a higher epoch.
   */
  async #settleReleased(task: RecordTask, outcome: Outcome): Promise<NextAttempt | undefined> {
    await this.#worker.fence.released(task, [task]);
    return this.#settler.settle(task, outcome);
  }

  async #afterwards(task: RecordTask, settled: Promise<NextAttempt | undefined>): Promise<void> {
    const again = await settled;
    if (again === undefined) {
      this.#finish(task);
      return;
    }
    if (!this.#worker.isClosed) this.#worker.queue.retry(again.task, again.delayMs);
    this.#end();
  }

  #finish(task: RecordTask): void {
    this.#worker.finish(task);
    this.#end();
  }

  #end(): void {
    this.#inFlight.end();
    this.#context.dispatcher.ended(this.#worker);
  }

  /** An owner that crashes with it writes nothing more: so the delivery is counted before it starts. */
  async #runSuspect(task: RecordTask): Promise<void> {
    if (await this.#worker.quarantine.mayBegin(task)) this.#run(task, performance.now());
    else await this.#afterwards(task, Promise.resolve({ task, delayMs: 0 }));
  }

  #report(task: RecordTask, outcome: Outcome, endedAtStart: boolean): void {
    const { attempt, timestamp, startedAt, returns } = task;
    // A suspect has returns: it starts outside of a turn, and waits for no end of one.
    if (endedAtStart && outcome.kind === 'completed' && attempt === 1 && returns === 0) {
      if (this.#ended.isFull) this.#context.events.emitRun(this.#ended);
      this.#ended.add(startedAt, timestamp);
      return;
    }
    if (!this.#context.events.has('handled')) return;
    const durationMs = performance.now() - startedAt;
    const { handler, source, group } = this.#context.labelsOf(task.topic);
    // Field by field: spreading the labels would make every single record half as expensive again.
    const event = { handler, source, group, outcome: outcome.kind, attempt, durationMs, timestamp, startedAt };
    this.#context.events.emit('handled', event);
  }
}
