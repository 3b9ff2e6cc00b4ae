import {
  CodecError,
  messageOf,
  type Outcome,
  outcomeOfThrow,
  settledAnswer,
  startTimer,
  stopTimer,
  type Timer,
} from '@millrace/core';
import { type DeliveryContext, deliver, InFlight } from '@millrace/delivery';
import { BatchContext, type BatchRecord } from './batch-context.js';
import type { PartitionWorker } from './partition-worker.js';
import type { RecordContext } from './record-context.js';
import { RecordSettler } from './record-settler.js';
import type { RecordTask } from './record-task.js';
import type { WorkerContext } from './worker-context.js';

/** Runs the batch handler. Each record has its own outcome, its own attempts and its own dead letter. */
export class BatchRunner {
  readonly #worker: PartitionWorker;
  readonly #context: WorkerContext;
  readonly #settler: RecordSettler;
  readonly #inFlight = new InFlight();
  /** Running handlers, and validators of records. */
  readonly #running: DeliveryContext[] = [];
  #lingersUntil = 0;
  #timer: Timer | undefined;

  constructor(worker: PartitionWorker, context: WorkerContext) {
    this.#worker = worker;
    this.#context = context;
    this.#settler = new RecordSettler(worker, context);
  }

  /** Starts one batch; false when none may start. */
  startNext(_monotonicNow: number): boolean {
    const { maxRecords, lingerMs } = this.#context.options.batch;
    const { queue, quarantine } = this.#worker;
    const { dispatcher } = this.#context;
    if (lingerMs > 0 && this.#lingers(queue.available, maxRecords, lingerMs)) return false;
    const tasks = queue.takeBatch(dispatcher.permits(maxRecords));
    const [first] = tasks;
    const isSuspect = first !== undefined && quarantine.suspects(first);
    if (isSuspect && !dispatcher.claimAll(this.#worker)) {
      queue.putBack(first);
      return false;
    }
    this.#lingersUntil = 0;
    if (first === undefined) return false;
    this.#inFlight.begin();
    dispatcher.began(tasks.length);
    void (isSuspect ? this.#runSuspect(first) : this.#run(tasks)).finally(() => {
      this.#inFlight.end();
      dispatcher.ended(this.#worker);
    });
    return true;
  }

  endTurn(_monotonicNow: number): void {}

  get isIdle(): boolean {
    return this.#inFlight.count === 0;
  }

  abandon(reason: Error): void {
    for (const context of [...this.#running]) context.abandon(reason);
  }

  idle(timeoutMs: number): Promise<boolean> {
    stopTimer(this.#timer);
    this.#timer = undefined;
    return this.#inFlight.drained(timeoutMs);
  }

  /** Whether an incomplete batch still waits for more records. */
  #lingers(available: number, maxRecords: number, lingerMs: number): boolean {
    const now = performance.now();
    if (available === 0 || available >= maxRecords) {
      this.#lingersUntil = 0;
      return false;
    }
    if (this.#lingersUntil === 0) this.#lingersUntil = now + lingerMs;
    const restMs = this.#lingersUntil - now;
    if (restMs > 0) this.#wakeIn(restMs);
    return restMs > 0;
  }

  /** A timer may fire early by this clock; the callback checks the clock and may wait again. */
  #wakeIn(ms: number): void {
    this.#timer ??= startTimer(() => {
      this.#timer = undefined;
      this.#context.dispatcher.wake(this.#worker);
    }, Math.ceil(ms));
  }

  async #runSuspect(task: RecordTask): Promise<void> {
    if (await this.#worker.quarantine.mayBegin(task)) await this.#run([task]);
    else if (!this.#worker.isClosed) this.#worker.queue.putBack(task);
  }

  async #run(tasks: readonly RecordTask[]): Promise<void> {
    const outcomes = new Map<RecordTask, Outcome>();
    const readable: RecordTask[] = [];
    const records: BatchRecord[] = [];
    for (const task of tasks) {
      let read = task.deadLetter === undefined ? this.#read(task) : undefined;
      if (read instanceof Promise) read = await read;
      // The partition is revoked: no handler starts.
      if (read?.kind === 'abandoned') return this.#settle(tasks, new Map(tasks.map((each) => [each, abandoned])));
      if (read?.kind === 'read') {
        readable.push(task);
        records.push(recordOf(task, read.payload));
      } else if (read !== undefined) outcomes.set(task, read);
    }
    const [first, ...others] = readable;
    if (first !== undefined) await this.#handle([first, ...others], records, outcomes);
    await this.#settle(tasks, outcomes);
  }

  async #handle(
    tasks: readonly [RecordTask, ...RecordTask[]],
    records: readonly BatchRecord[],
    outcomes: Map<RecordTask, Outcome>,
  ): Promise<void> {
    const { batchHandler, handlerTimeoutMs, abortGraceMs } = this.#context.options;
    const context = new BatchContext(tasks);
    const startedAt = performance.now();
    this.#running.push(context);
    const handle = (): unknown => settledAnswer(batchHandler?.(records, context), rethrow);
    const onLate = (late: Outcome): void => this.#context.emitLate(context, late);
    const outcome = await deliver({ handle, handlerTimeoutMs, abortGraceMs, onLate }, context, () => records);
    this.#running.splice(this.#running.indexOf(context), 1);
    await this.#worker.fence.released(context, tasks);
    const durationMs = performance.now() - startedAt;
    for (const task of tasks) {
      const failure = outcome.kind === 'abandoned' ? undefined : context.failureOf(task.offset);
      const own = failure === undefined ? outcome : outcomeOfThrow(failure.error);
      outcomes.set(task, own);
      if (!this.#context.events.has('handled')) continue;
      const labels = this.#context.labelsOf(task.topic);
      const { attempt, timestamp } = task;
      this.#context.events.emit('handled', { ...labels, outcome: own.kind, attempt, durationMs, timestamp });
    }
  }

  /** Of each key, the first record to be handled again holds the key, and the later ones wait behind it. */
  async #settle(tasks: readonly RecordTask[], outcomes: ReadonlyMap<RecordTask, Outcome>): Promise<void> {
    const { queue } = this.#worker;
    const keys = new Map<string, RecordTask[]>();
    for (const task of tasks) {
      const key = queue.queueKeyOf(task);
      const outcome = outcomes.get(task);
      const again = outcome?.kind === 'completed' ? this.#settler.completed(task) : await this.#again(task, outcome);
      if (this.#worker.isClosed) return;
      if (key !== undefined && !keys.has(key)) keys.set(key, []);
      if (again === undefined) this.#worker.finishInBatch(task);
      else if (key === undefined || keys.get(key)?.length === 0) queue.retry(again.task, again.delayMs);
      if (again !== undefined && key !== undefined) keys.get(key)?.push(again.task);
    }
    for (const [key, [first, ...others]] of keys) {
      if (first === undefined) queue.unlockKey(key);
      else queue.queueBehind(others);
    }
  }

  async #again(task: RecordTask, outcome: Outcome | undefined): ReturnType<RecordSettler['settle']> {
    if (task.deadLetter !== undefined) return this.#settler.deadLetter(task, task.deadLetter);
    return outcome === undefined ? undefined : this.#settler.settle(task, outcome);
  }

  #read(task: RecordTask): ReadRecord | Promise<ReadRecord> {
    const { codecs, options } = this.#context;
    if (options.validate !== undefined) return this.#validate(task);
    try {
      return { kind: 'read', payload: task.decode(codecs.get(task.codecId)) };
    } catch (cause) {
      const error = new CodecError(`${task.describe()} cannot be decoded: ${messageOf(cause)}`, { cause });
      return { kind: 'unreadable', reason: 'undecodable', error };
    }
  }

  /** As `deliver` does for a single record: the handler's deadline is the validator's too. */
  async #validate(task: RecordTask): Promise<ReadRecord> {
    const { codecs, options } = this.#context;
    const { validate, handlerTimeoutMs, abortGraceMs } = options;
    const onLate = (late: Outcome): void => this.#context.emitLate(task, late);
    const plan = { handle: passedOn, validate, handlerTimeoutMs, abortGraceMs, onLate };
    this.#running.push(task);
    const outcome = await deliver<RecordContext>(plan, task, () => task.decode(codecs.get(task.codecId)));
    this.#running.splice(this.#running.indexOf(task), 1);
    if (outcome.kind === 'completed') return { kind: 'read', payload: outcome.result };
    await this.#worker.fence.released(task, [task]);
    return outcome;
  }
}

const abandoned: Outcome = Object.freeze({ kind: 'abandoned' });
const passedOn = (payload: unknown): unknown => payload;

type ReadRecord = { readonly kind: 'read'; readonly payload: unknown } | Outcome;

function recordOf(task: RecordTask, payload: unknown): BatchRecord {
  const { offset, key, headers, timestamp, attempt } = task;
  return { payload, offset, key, headers, timestamp, attempt };
}

/** A rejected promise in the list that a handler returned fails the batch, like one that the handler awaited. */
function rethrow(thrown: unknown): never {
  throw thrown;
}
