import type { GroupPartition, LeaseHolder } from '../store/lease.js';

/**
 * A lease as its holder sees it. It counts from the moment a renewal was sent, by a clock that never jumps, and
 * ends a tenth early: before Redis would give the partition to another.
 */
export class HeldLease implements LeaseHolder {
  readonly place: GroupPartition;
  readonly owner: string;
  readonly epoch: number;
  readonly leaseMs: number;
  /** How often the group's offset in this partition was set by hand. */
  rewinds: number;
  #validUntil = 0;
  #sentAt = 0;
  #isLost = false;

  constructor(
    place: GroupPartition,
    holder: LeaseHolder & { readonly leaseMs: number; readonly rewinds: number; readonly sentAt: number },
  ) {
    this.place = place;
    this.owner = holder.owner;
    this.epoch = holder.epoch;
    this.leaseMs = holder.leaseMs;
    this.rewinds = holder.rewinds;
    this.extend(holder.sentAt);
  }

  /** Redis extended it; the request was sent at `sentAt` (monotonic). */
  extend(sentAt: number): void {
    if (sentAt < this.#sentAt) return;
    this.#sentAt = sentAt;
    this.#validUntil = sentAt + this.leaseMs * 0.9;
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

  /** When Redis was last asked to extend it, successfully. */
  get extendedAt(): number {
    return this.#sentAt;
  }
}
