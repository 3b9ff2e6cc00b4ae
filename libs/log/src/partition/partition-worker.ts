import { LeaseLostError } from '@millrace/core';
import type { HeldLease } from '../group/held-lease.js';
import type { Progress } from '../model/progress.js';
import type { Anchor } from '../store/commit.js';
import { partitionKeys } from '../store/keys.js';
import type { GroupPartition } from '../store/lease.js';
import type { StoredBatch } from '../store/read.js';
import { BatchRunner } from './batch-runner.js';
import type { Dispatchable } from './dispatcher.js';
import { Fence, givenUp } from './fence.js';
import { LogAnchor } from './log-anchor.js';
import { PartitionBuffer } from './partition-buffer.js';
import { lost, PartitionOffsets } from './partition-offsets.js';
import { PartitionQueue } from './partition-queue.js';
import { PartitionSeek } from './partition-seek.js';
import { PrefetchRoom, type PrefetchShare } from './prefetch-room.js';
import type { RecordSource, RecordTask } from './record-context.js';
import { RecordRunner } from './record-runner.js';
import { RetentionGap } from './retention-gap.js';
import { Standstill } from './standstill.js';
import { WorkerHolds } from './worker-holds.js';
import type { WorkerHost } from './worker-host.js';

/**
 * One owner's work on one partition: takes fetched records, runs them in their order, and says what is done.
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
  readonly queue: PartitionQueue;
  readonly standstill: Standstill;
  hasPlace = false;
  readonly #anchor = new LogAnchor();
  readonly #buffer: PartitionBuffer;
  readonly #host: WorkerHost;
  readonly #runner: RecordRunner | BatchRunner;
  readonly #room: PrefetchRoom;
  readonly #seek: PartitionSeek;
  readonly #gap = new RetentionGap();

  constructor(
    lease: HeldLease,
    start: { readonly committed: number; readonly progress: Progress; readonly crashes: number },
    host: WorkerHost,
  ) {
    this.lease = lease;
    this.fence = new Fence(this, host);
    this.topic = lease.place.topic;
    this.partition = lease.place.partition;
    this.group = lease.place.group;
    this.records = partitionKeys(lease.place.prefix, this.topic, this.partition).records;
    this.#host = host;
    this.holds = new WorkerHolds(() => this.#wake());
    this.offsets = new PartitionOffsets(lease, start, {
      client: () => host.connection.commands,
      onChange: () => host.commitSoon(),
      anchor: () => this.#anchor.last,
      onCommit: (result, offset) => {
        host.tellCommit(lease.place, result, offset);
        if (result !== 'committed') host.diverged(this);
      },
    });
    this.#buffer = new PartitionBuffer(this, this.offsets, this.offsets.frontier, this.#anchor);
    this.#room = new PrefetchRoom(this.#buffer, this.offsets, host.options.maxUncommittedRecords);
    this.queue = new PartitionQueue(this.#buffer, this.topic, host.options, {
      ready: () => host.dispatcher.wake(this),
      skip: (task) => this.offsets.complete(task.offset),
    });
    this.standstill = new Standstill(this, host.events);
    this.#runner =
      host.options.batchHandler === undefined
        ? new RecordRunner(this, host, start.crashes)
        : new BatchRunner(this, host);
    this.#seek = new PartitionSeek(this, this.#runner, (to) => this.#restartAt(to));
  }

  get epoch(): number {
    return this.lease.epoch;
  }

  get place(): GroupPartition {
    return this.lease.place;
  }

  /** The next offset to fetch. */
  get position(): number {
    return this.#buffer.position;
  }

  /** The last batch that was read; undefined when none was since the worker began or leapt. */
  get anchor(): Anchor | undefined {
    return this.#anchor.last;
  }

  get isClosed(): boolean {
    return this.holds.has('closed');
  }

  startNext(monotonicNow: number): boolean {
    if (!this.holds.isFree) return false;
    if (!this.lease.isValid(monotonicNow)) {
      this.suspend();
      return false;
    }
    return this.#runner.startNext(monotonicNow);
  }

  endTurn(monotonicNow: number): void {
    this.#runner.endTurn(monotonicNow);
  }

  /** How many batches it would read now, from its position on; 0 while there is no room or no wish. */
  roomFor(share: PrefetchShare): number {
    if (this.#gap.isOpen) this.#crossGap();
    if (!this.holds.isFree || this.#gap.isOpen || this.standstill.isThere) return 0;
    return this.#room.batches(share);
  }

  /** Takes what was read from `position` on. */
  feed(position: number, batches: readonly StoredBatch[]): void {
    if (this.isClosed || position !== this.position || batches.length === 0) return;
    const fed = this.#buffer.feed(batches);
    if (fed.kind === 'unreadable') this.standstill.meet(this.position, fed.why);
    else this.standstill.forget();
    if (fed.kind === 'gap') this.#gap.meet(fed.offset);
    if (fed.kind === 'diverged') this.#host.diverged(this);
    else this.#host.dispatcher.wake(this);
  }

  /** A record is finished: its lane goes on, and there may be room to fetch more. */
  finish(task: RecordTask): void {
    this.queue.finish(task);
    this.#lookForRoom();
  }

  /** A record of a batch is finished; its lane is the batch's affair. */
  finishInBatch(task: RecordTask): void {
    this.queue.finishInBatch(task);
    this.#lookForRoom();
  }

  /** Marks every offset a task stands for. */
  complete(task: RecordTask): void {
    for (let offset = task.offset; offset <= task.lastOffset; offset++) this.offsets.complete(offset);
  }

  async acknowledge(task: RecordTask): Promise<void> {
    if (this.isClosed || this.lease.isLost) throw lost(this.lease);
    if (task.isGivenUp) throw givenUp(task);
    task.isAcknowledged = true;
    this.complete(task);
    this.#lookForRoom();
    await this.offsets.flush();
  }

  /** The lease may have run out: nothing may be effected until Redis says that it still is ours. */
  suspend(): void {
    if (this.holds.has('suspended') || this.isClosed) return;
    this.holds.put('suspended');
    this.#runner.abandon(lost(this.lease));
  }

  /** Takes nothing new; resolves when nothing is in hand, at the latest after `timeoutMs`: then the rest is abandoned. */
  async drain(timeoutMs: number): Promise<void> {
    this.holds.put('draining');
    if (await this.#runner.idle(timeoutMs)) return;
    const why = `was given up after ${timeoutMs} ms: this member hands the partition over. It will be handled again.`;
    this.#runner.abandon(new LeaseLostError(`topic "${this.topic}", partition ${this.partition} ${why}`));
  }

  /** Resolves when nothing is in hand. */
  async idle(): Promise<void> {
    await this.#runner.idle(Number.POSITIVE_INFINITY);
  }

  /** Sets the group's offset, and goes on there when what is in hand has ended. @throws {LeaseLostError} */
  async seek(offset: number): Promise<void> {
    await this.#seek.to(offset);
  }

  /** For good: what is still in hand counts for nothing. */
  close(): void {
    if (this.isClosed) return;
    this.holds.put('closed');
    this.#runner.abandon(lost(this.lease));
    this.queue.clear();
  }

  #wake(): void {
    this.#host.dispatcher.wake(this);
    this.#host.fetchSoon();
  }

  #restartAt(offset: number): void {
    this.queue.clear();
    this.#buffer.moveTo(offset);
    this.#gap.forget();
    this.standstill.forget();
  }

  #lookForRoom(): void {
    if (this.#gap.isOpen && this.#buffer.records === 0) this.#host.fetchSoon();
    if (this.#room.reopens()) this.#host.fetchSoon();
  }

  /** Retention removed records before they were read: goes on behind them once everything before is done. */
  #crossGap(): void {
    if (this.#buffer.records > 0 || this.offsets.frontier < this.position) return;
    const from = this.position;
    this.#gap.cross(
      (offset) => this.#host.resolveGap(this, offset),
      (to, offset) => {
        if (this.isClosed || this.position !== from) return;
        if (to === undefined) this.holds.put('stuck');
        else if (to > offset)
          void this.seek(to).catch((error: unknown) => this.#host.onError('leave records out', error));
        else {
          this.#restartAt(to);
          this.offsets.moveTo(to);
        }
        this.#host.fetchSoon();
      },
    );
  }
}
