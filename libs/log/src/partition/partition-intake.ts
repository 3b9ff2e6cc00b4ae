import type { Anchor } from '../store/commit.js';
import type { StoredBatch } from '../store/read.js';
import { LogAnchor } from './log-anchor.js';
import { PartitionBuffer } from './partition-buffer.js';
import type { PartitionWorker } from './partition-worker.js';
import { PrefetchRoom, type PrefetchShare } from './prefetch-room.js';
import { RetentionGap } from './retention-gap.js';
import { Standstill } from './standstill.js';
import type { WorkerHost } from './worker-host.js';

/** What is read of a partition: from where on, how much more there is room for, and why reading waits. */
export class PartitionIntake {
  readonly buffer: PartitionBuffer;
  readonly standstill: Standstill;
  readonly #worker: PartitionWorker;
  readonly #host: WorkerHost;
  readonly #restartAt: (offset: number) => void;
  readonly #anchor = new LogAnchor();
  readonly #room: PrefetchRoom;
  readonly #gap = new RetentionGap();

  /** @param restartAt has the worker go on from another offset */
  constructor(worker: PartitionWorker, host: WorkerHost, restartAt: (offset: number) => void) {
    const { offsets } = worker;
    this.#worker = worker;
    this.#host = host;
    this.#restartAt = restartAt;
    this.buffer = new PartitionBuffer(worker, offsets, offsets.frontier, this.#anchor);
    this.standstill = new Standstill(worker, host.events);
    this.#room = new PrefetchRoom(this.buffer, offsets, host.options.maxUncommittedRecords);
  }

  /** The next offset to fetch. */
  get position(): number {
    return this.buffer.position;
  }

  /** The last batch that was read; undefined when none was since the worker began or leapt. */
  get anchor(): Anchor | undefined {
    return this.#anchor.last;
  }

  /** How many batches may be read now, from `position` on; 0 while there is no room, or reading has to wait. */
  roomFor(share: PrefetchShare): number {
    if (this.#gap.isOpen) this.#crossGap();
    if (!this.#worker.holds.isFree || this.#gap.isOpen || this.standstill.isThere) return 0;
    return this.#room.batches(share);
  }

  /** Takes what was read from `position` on. */
  feed(position: number, batches: readonly StoredBatch[]): void {
    if (this.#worker.isClosed || position !== this.position || batches.length === 0) return;
    const fed = this.buffer.feed(batches);
    if (fed.kind === 'unreadable') this.standstill.meet(this.position, fed.why);
    else this.standstill.forget();
    if (fed.kind === 'gap') this.#gap.meet(fed.offset);
    if (fed.kind === 'diverged') this.#host.diverged(this.#worker);
    else this.#host.dispatcher.wake(this.#worker);
  }

  /** A record is finished: there may be room to fetch more. */
  lookForRoom(): void {
    if (this.#gap.isOpen && this.buffer.records === 0) this.#host.fetchSoon();
    if (this.#room.reopens()) this.#host.fetchSoon();
  }

  /** Forgets what was read, and goes on reading at `offset`. */
  moveTo(offset: number): void {
    this.buffer.moveTo(offset);
    this.#gap.forget();
    this.standstill.forget();
  }

  /** Retention removed records before they were read: goes on behind them once everything before is done. */
  #crossGap(): void {
    const { offsets } = this.#worker;
    if (this.buffer.records > 0 || offsets.frontier < this.position) return;
    const from = this.position;
    this.#gap.cross(
      (offset) => this.#host.resolveGap(this.#worker, offset),
      (to, offset) => {
        if (this.#worker.isClosed || this.position !== from) return;
        if (to === undefined) this.#worker.holds.put('stuck');
        else if (to > offset) this.#leaveOut(to);
        else {
          this.#restartAt(to);
          offsets.moveTo(to);
        }
        this.#host.fetchSoon();
      },
    );
  }

  #leaveOut(to: number): void {
    this.#worker.seek(to).catch((error: unknown) => this.#host.onError('leave records out', error));
  }
}
