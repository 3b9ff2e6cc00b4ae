import { messageOf } from '@millrace/core';
import type { Anchor } from '../store/commit.js';
import type { StoredBatch } from '../store/read.js';
import { DecodedShare } from './decoded-bytes.js';
import { PartitionBuffer, type UnexpectedEntry } from './partition-buffer.js';
import type { PartitionWorker } from './partition-worker.js';
import { PrefetchRoom, type PrefetchShare } from './prefetch-room.js';
import { ReadPosition } from './read-position.js';
import { RetentionGap } from './retention-gap.js';
import { Standstill } from './standstill.js';
import type { InspectedEntry, WorkerContext } from './worker-context.js';

/** The reading of a partition: where to continue, how much more there is room for, and why reading waits. */
export class PartitionIntake {
  readonly buffer: PartitionBuffer;
  readonly standstill: Standstill;
  readonly #worker: PartitionWorker;
  readonly #context: WorkerContext;
  readonly #restartAt: (offset: number) => void;
  readonly #reading: ReadPosition;
  readonly #room: PrefetchRoom;
  readonly #gap = new RetentionGap();
  /** Whether Redis is being asked what an entry is; reading waits. */
  #isInspecting = false;

  /** @param restartAt makes the worker continue at another offset */
  constructor(worker: PartitionWorker, context: WorkerContext, restartAt: (offset: number) => void) {
    const { offsets } = worker;
    this.#worker = worker;
    this.#context = context;
    this.#restartAt = restartAt;
    this.#reading = new ReadPosition(offsets.frontier);
    const decoded = new DecodedShare(context.decoded, () => context.dispatcher.wake(worker));
    this.buffer = new PartitionBuffer(worker, offsets, this.#reading, decoded);
    this.standstill = new Standstill(worker, context.events);
    this.#room = new PrefetchRoom(this.buffer, this.#reading, offsets, context.options.maxUncommittedRecords);
  }

  /** The next offset to be read. */
  get position(): number {
    return this.#reading.position;
  }

  /** Where to fetch from. */
  get readFrom(): number {
    return this.#reading.readFrom;
  }

  /** The last batch that was read; undefined when none was since the worker started or its position moved. */
  get anchor(): Anchor | undefined {
    return this.#reading.anchor;
  }

  /** How many batches may be read now, from `position` on; 0 while there is no room, or reading has to wait. */
  roomFor(share: PrefetchShare): number {
    if (this.#gap.isOpen) this.#crossGap();
    if (!this.#worker.holds.isFree || this.#gap.isOpen || this.standstill.isThere || this.#isInspecting) return 0;
    return this.#room.batches(share);
  }

  /** Takes what was read from `readFrom` on. */
  feed(readFrom: number, batches: readonly StoredBatch[]): void {
    if (this.#worker.isClosed || readFrom !== this.readFrom || batches.length === 0) return;
    const fed = this.buffer.feed(batches);
    if (fed.kind === 'fed') this.standstill.forget();
    else if (fed.kind === 'unreadable') this.standstill.meet(this.position, fed.why);
    else this.#inspect(fed.entry);
    this.#context.dispatcher.wake(this.#worker);
  }

  /** Reading this partition failed, while others could be read. */
  failed(error: unknown): void {
    this.standstill.meet(this.position, `cannot be read: ${messageOf(error)}`);
  }

  /** A record is finished: there may be room to fetch more. */
  lookForRoom(): void {
    if (this.#gap.isOpen && this.buffer.records === 0) this.#context.fetchSoon();
    if (this.#room.reopens()) this.#context.fetchSoon();
  }

  /** Drops what was read, and continues reading at `offset`. */
  moveTo(offset: number): void {
    this.buffer.clear();
    this.#reading.moveTo(offset);
    this.#gap.forget();
    this.standstill.forget();
  }

  /** Asks Redis what an entry is that does not follow what was read, and acts on the result. */
  #inspect(unexpected: UnexpectedEntry): void {
    this.#isInspecting = true;
    const from = this.position;
    this.#context
      .inspect(this.#worker, unexpected)
      .then(
        (found) => {
          if (!this.#worker.isClosed && this.position === from) this.#conclude(found, unexpected.entry.endOffset);
        },
        (error: unknown) => this.standstill.meet(from, `cannot be compared with the log: ${messageOf(error)}`),
      )
      .finally(() => {
        this.#isInspecting = false;
        this.#context.fetchSoon();
      });
  }

  #conclude(found: InspectedEntry, endOffset: number): void {
    switch (found.kind) {
      case 'removed':
        if (found.isStale) this.#context.reconnect();
        break;
      case 'own':
        this.#reading.acceptNext(endOffset, found.logEnd);
        break;
      case 'foreign':
        this.#reading.skipTo(found.upTo);
        break;
      case 'gap':
        this.#gap.meet(found.offset);
        break;
      case 'diverged':
        this.#context.diverged(this.#worker);
        break;
      case 'unexplained':
        this.standstill.meet(this.position, found.why);
        break;
      default:
        found satisfies never;
    }
  }

  /** Retention removed records before they were read: continues past them once everything before is done. */
  #crossGap(): void {
    const { offsets } = this.#worker;
    if (this.buffer.records > 0 || offsets.frontier < this.position) return;
    const from = this.position;
    this.#gap.cross(
      (offset) => this.#context.resolveGap(this.#worker, offset),
      (to, offset) => {
        if (this.#worker.isClosed || this.position !== from) return;
        if (to === undefined) this.#worker.holds.put('stuck');
        else if (to > offset) this.#leaveOut(to);
        else {
          this.#restartAt(to);
          offsets.moveTo(to);
        }
        this.#context.fetchSoon();
      },
    );
  }

  #leaveOut(to: number): void {
    this.#worker.seek(to).catch((error: unknown) => this.#context.onError('skip records', error));
  }
}
