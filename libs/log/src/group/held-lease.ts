import type { GroupPartition, LeaseHolder } from '../store/lease.js';

/**
 * When a lease is renewed: after this share of it, or up to as much again later, which is a third (as with Kafka's heartbeats). A
 * renewal that fails can be tried again for most of the lease's time, and what is committed now and then needs none. The length
 * is drawn anew each time, so that leases that were taken together are not renewed together.
 */
const renewAfter = 1 / 6;

/**
 * A lease as its holder sees it. It counts from the moment a renewal was sent, by a clock that never jumps, and
 * ends a tenth early: before Redis would give the partition to another.
 */
export class HeldLease {
  readonly place: GroupPartition;
  /** As whom it holds it: by this Redis knows what it sends. */
  readonly holder: LeaseHolder;
  /** Tells the topic from one of the same name that is declared later. */
  readonly topicId: number;
  readonly leaseMs: number;
  /** How often the group's offset in this partition was set by hand. */
  rewinds: number;
  #validUntil = 0;
  #dueAt = 0;
  #doubtedAt = 0;
  #sentAt = 0;
  #isLost = false;
  #epoch: number;

  constructor(
    place: GroupPartition,
    holder: LeaseHolder & {
      readonly topicId: number;
      readonly leaseMs: number;
      readonly rewinds: number;
      readonly sentAt: number;
    },
  ) {
    this.place = place;
    this.holder = { owner: holder.owner, epoch: holder.epoch };
    this.#epoch = holder.epoch;
    this.topicId = holder.topicId;
    this.leaseMs = holder.leaseMs;
    this.rewinds = holder.rewinds;
    this.extend(holder.sentAt);
  }

  /** Grows with each change of owner, and when its owner has to tell what it does now from what it did before. */
  get epoch(): number {
    return this.#epoch;
  }

  /** What begins from now on has a higher epoch. */
  raiseEpoch(): void {
    this.#epoch++;
  }

  /** Redis extended it; the request was sent at `sentAt` (monotonic). */
  extend(sentAt: number): void {
    if (sentAt < this.#sentAt) return;
    this.#sentAt = sentAt;
    this.#validUntil = sentAt + this.leaseMs * 0.9;
    if (sentAt >= this.#doubtedAt) this.#dueAt = sentAt + this.leaseMs * renewAfter * (1 + Math.random());
  }

  /** Redis may have forgotten it, or given it to another: only what it answers from now on counts as a renewal. */
  doubt(monotonicNow: number): void {
    this.#doubtedAt = monotonicNow;
    this.#dueAt = monotonicNow;
  }

  /** Whether it is time to renew it. */
  isDue(monotonicNow: number): boolean {
    return monotonicNow >= this.#dueAt;
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** It is another's: for good. */
  lose(): void {
    this.#isLost = true;
  }

  isValid(monotonicNow: number): boolean {
    return !this.#isLost && monotonicNow < this.#validUntil;
  }
}
