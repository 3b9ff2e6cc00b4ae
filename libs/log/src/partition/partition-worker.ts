import { LeaseLostError } from '@millrace/core';
import type { Progress } from '../model/progress.js';
import type { Anchor } from '../store/commit.js';
import { partitionKeys } from '../store/keys.js';
import type { GroupPartition } from '../store/lease.js';
import { BatchRunner } from './batch-runner.js';
import type { Dispatchable } from './dispatcher.js';
import { Fence, givenUp } from './fence.js';
import type { HeldLease } from './held-lease.js';
import { PartitionIntake } from './partition-intake.js';
import { lost, PartitionOffsets } from './partition-offsets.js';
import { PartitionQueue } from './partition-queue.js';
import { PartitionSeek } from './partition-seek.js';
import { Quarantine } from './quarantine.js';
import { RecordRunner } from './record-runner.js';
import type { RecordSource, RecordTask } from './record-task.js';
import type { WorkerContext } from './worker-context.js';
import { WorkerHolds } from './worker-holds.js';

/**
 * One owner's work on one partition: takes fetched records, runs them in order, and tracks what is done.
 *
 * `working ⇄ paused / suspended (the lease may have run out) → draining → closed`
 */
export class PartitionWorker implements Dispatchable, RecordSource {
  readonly topic: string;
  readonly partition: number;
  readonly group: string;
  readonly lease: HeldLease;
  /** The key of its stream. */
  readonly records: string;
  readonly holds: WorkerHolds;
  readonly fence: Fence;
  readonly offsets: PartitionOffsets;
  readonly quarantine: Quarantine;
  readonly queue: PartitionQueue;
  readonly intake: PartitionIntake;
  isQueued = false;
  readonly #context: WorkerContext;
  readonly #runner: RecordRunner | BatchRunner;
  readonly #seek: PartitionSeek;

  constructor(
    lease: HeldLease,
    start: {
      readonly committed: number;
      readonly progress: Progress;
      readonly crashes: number;
      /** The log's end. */
      readonly end: number;
    },
    context: WorkerContext,
  ) {
    this.lease = lease;
    this.fence = new Fence(this, context);
    this.topic = lease.place.topic;
    this.partition = lease.place.partition;
    this.group = lease.place.group;
    this.records = partitionKeys(lease.place.prefix, this.topic, this.partition).records;
    this.#context = context;
    this.holds = new WorkerHolds(
      () => this.intake.buffer.rest(),
      () => this.#wake(),
    );
    this.offsets = new PartitionOffsets(lease, start, {
      client: () => context.connection.commands,
      onChange: () => context.commitSoon(),
      anchor: () => this.anchor,
      onCommit: (result, offset) => {
        context.emitCommit(lease.place, result, offset);
        if (result !== 'committed') context.diverged(this);
      },
    });
    this.intake = new PartitionIntake(this, context, (offset) => this.#restartAt(offset));
    this.quarantine = new Quarantine(this, context, start);
    this.queue = new PartitionQueue(this.intake.buffer, this.quarantine, this.topic, context.options, {
      ready: () => context.dispatcher.wake(this),
      skip: (task) => this.offsets.complete(task.offset),
    });
    this.#runner =
      context.options.batchHandler === undefined ? new RecordRunner(this, context) : new BatchRunner(this, context);
    this.#seek = new PartitionSeek(this, this.#runner, (to) => this.#restartAt(to));
  }

  get epoch(): number {
    return this.lease.epoch;
  }

  get place(): GroupPartition {
    return this.lease.place;
  }

  /** The next offset to be read. */
  get position(): number {
    return this.intake.position;
  }

  /** Where to fetch from. */
  get readFrom(): number {
    return this.intake.readFrom;
  }

  /** The last batch that was read; undefined when none was since the worker started or its position moved. */
  get anchor(): Anchor | undefined {
    return this.intake.anchor;
  }

  get isClosed(): boolean {
    return this.holds.has('closed');
  }

  /** Whether it is closed, or will be as soon as running handlers have ended. */
  get isLeaving(): boolean {
    return this.isClosed || this.holds.has('draining');
  }

  startNext(monotonicNow: number): boolean {
    return this.mayStart(monotonicNow) && this.#runner.startNext(monotonicNow);
  }

  /** Whether a handler may start: no hold, and the lease is valid. */
  mayStart(monotonicNow: number): boolean {
    if (!this.holds.isFree) return false;
    const isValid = this.lease.isValid(monotonicNow);
    if (!isValid) this.suspend();
    return isValid;
  }

  endTurn(monotonicNow: number): void {
    this.#runner.endTurn(monotonicNow);
  }

  /** A record is finished: the next of its key may run, and there may be room to fetch more. */
  finish(task: RecordTask): void {
    this.queue.finish(task);
    this.intake.lookForRoom();
  }

  /** A record of a batch is finished; the batch releases its key. */
  finishInBatch(task: RecordTask): void {
    this.queue.finishInBatch(task);
    this.intake.lookForRoom();
  }

  /** Marks every offset a task stands for. */
  complete(task: RecordTask): void {
    if (task.lastOffset === task.offset) this.offsets.complete(task.offset);
    else this.offsets.completeSpan(task.offset, task.lastOffset + 1);
  }

  async commit(task: RecordTask): Promise<void> {
    if (this.isClosed || this.lease.isLost) throw lost(this.lease);
    if (task.isGivenUp) throw givenUp(task);
    task.committed();
    this.complete(task);
    this.intake.lookForRoom();
    await this.offsets.flush();
  }

  /** The lease may have expired: nothing may be written until Redis confirms it. */
  suspend(): void {
    if (this.holds.has('suspended') || this.isClosed) return;
    this.holds.put('suspended');
    this.#abandon('its lease expired before Redis extended it');
  }

  /** Starts nothing new; resolves when no handler runs, at the latest after `timeoutMs`: then the rest is abandoned. */
  async drain(timeoutMs: number): Promise<void> {
    this.holds.put('draining');
    if (await this.#runner.idle(timeoutMs)) return;
    this.#abandon(`this member hands the partition over, and its handler did not end within ${timeoutMs} ms`);
  }

  /** Resolves when no handler runs. */
  async idle(): Promise<void> {
    await this.#runner.idle(Number.POSITIVE_INFINITY);
  }

  /** Sets the group's offset, and moves there when running handlers have ended. @throws {LeaseLostError} */
  async seek(offset: number): Promise<void> {
    await this.#seek.to(offset);
  }

  /** Closes it finally: the outcomes of running handlers are ignored. */
  close(): void {
    if (this.isClosed) return;
    this.holds.put('closed');
    this.#runner.abandon(lost(this.lease));
    this.queue.clear();
    this.intake.buffer.clear();
  }

  #abandon(why: string): void {
    const what = `topic "${this.topic}", partition ${this.partition}`;
    this.#runner.abandon(new LeaseLostError(`${what}: ${why}. It will be handled again.`));
  }

  #wake(): void {
    this.#context.dispatcher.wake(this);
    this.#context.fetchSoon();
  }

  #restartAt(offset: number): void {
    this.queue.clear();
    this.intake.moveTo(offset);
  }
}
