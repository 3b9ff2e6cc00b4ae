import type { GroupPartition, LeaseHolder } from '../store/lease.js';

/**
 * When a lease is renewed: after this share of it, or up to twice that, which is a third (as with Kafka's heartbeats). A
 * renewal that fails can be repeated for most of the lease's time, and a commit renews the lease as well. The delay is
 * drawn again each time, so that leases taken together are not renewed together.
 */
const renewAfter = 1 / 6;

/**
 * A lease as its holder sees it. It counts from the moment a renewal was sent, by a monotonic clock, and
 * ends a tenth early: before Redis would give the partition to another member.
 */
export class HeldLease {
  readonly place: GroupPartition;
  /** The holder's identity in what it sends to Redis. */
  readonly holder: LeaseHolder;
  /** Distinguishes the topic from one of the same name that is declared later. */
  readonly topicId: number;
  readonly leaseMs: number;
  /** How many times the group's offset in this partition was set by hand. */
  rewinds: number;
  #validUntil = 0;
  #dueAt = 0;
  #uncertainSince = 0;
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

  /** Grows with each change of owner, and when its owner must distinguish what it does now from what it did before. */
  get epoch(): number {
    return this.#epoch;
  }

  /** What starts from now on has a higher epoch. */
  raiseEpoch(): void {
    this.#epoch++;
  }

  /** Redis extended it; the request was sent at `sentAt` (monotonic). */
  extend(sentAt: number): void {
    if (sentAt < this.#sentAt) return;
    this.#sentAt = sentAt;
    this.#validUntil = sentAt + this.leaseMs * 0.9;
    if (sentAt >= this.#uncertainSince) this.#dueAt = sentAt + this.leaseMs * renewAfter * (1 + Math.random());
  }

  /** Redis may have forgotten the lease or given it to another: only replies to later requests count as a renewal. */
  markUncertain(monotonicNow: number): void {
    this.#uncertainSince = monotonicNow;
    this.#dueAt = monotonicNow;
  }

  /** Whether it is time to renew the lease. */
  isDue(monotonicNow: number): boolean {
    return monotonicNow >= this.#dueAt;
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** Another member has the lease, finally. */
  lose(): void {
    this.#isLost = true;
  }

  isValid(monotonicNow: number): boolean {
    return !this.#isLost && monotonicNow < this.#validUntil;
  }
}
