import { startTimer, stopTimer, type Timer } from '@millrace/core';
import type { GroupPlan } from '../model/group-plan.js';
import { partitionName, type TopicPartition } from '../model/topic-partition.js';
import type { PartitionWorker } from '../partition/partition-worker.js';
import { type RenewReply, releaseLease, renewLeases } from '../store/lease.js';
import type { PartitionTaker } from './partition-taker.js';

export interface OwnershipConfig {
  readonly memberId: string;
  readonly leaseMs: number;
  readonly revokeTimeoutMs: number;
}

/** What ownership emits, and what it needs others to do. */
export interface OwnershipListener {
  assigned(worker: PartitionWorker): void;
  /** Handed over in order. */
  revoked(worker: PartitionWorker): void;
  /** Taken away, or Redis lost a commit or what was read: the worker must start again from what Redis has. */
  diverged(worker: PartitionWorker): void;
  commit(worker: PartitionWorker): Promise<boolean>;
  onError(duty: string, error: unknown): void;
}

/** What was known when a lease renewal was sent. */
interface Renewal {
  readonly worker: PartitionWorker;
  readonly sentAt: number;
  readonly confirmed: number;
  /** Up to where its log was read. */
  readonly read: number;
}

/** How often to ask for a partition that another member still holds. */
const takeAgainMs = 50;

/**
 * The partitions a member owns, and the way to those it is assigned: what it must give up it drains, commits
 * and releases; what it gets it takes when it is free.
 */
export class Ownership {
  readonly #config: OwnershipConfig;
  readonly #taker: PartitionTaker;
  readonly #listener: OwnershipListener;
  readonly #client: Parameters<typeof releaseLease>[0];
  readonly #workers = new Map<string, PartitionWorker>();
  readonly #revoking = new Map<string, Promise<void>>();
  #watch: NodeJS.Timeout | undefined;
  #wanted = new Map<string, TopicPartition>();
  #plan: GroupPlan | undefined;
  #isStopping = false;
  #taking: Promise<void> | undefined;
  #timer: Timer | undefined;

  constructor(
    config: OwnershipConfig,
    taker: PartitionTaker,
    client: Parameters<typeof releaseLease>[0],
    listener: OwnershipListener,
  ) {
    this.#config = config;
    this.#taker = taker;
    this.#client = client;
    this.#listener = listener;
  }

  get workers(): Iterable<PartitionWorker> {
    return this.#workers.values();
  }

  get size(): number {
    return this.#workers.size;
  }

  find(partition: TopicPartition): PartitionWorker | undefined {
    return this.#workers.get(partitionName(partition));
  }

  /** Follows a new plan. Resolves when the free partitions are taken; the others follow later. */
  follow(plan: GroupPlan): Promise<void> {
    this.#plan = plan;
    // A heartbeat without a reply proves nothing: the lease's end is watched independently.
    const watchMs = Math.max(10, Math.min(100, this.#config.leaseMs / 20));
    if (!this.#isStopping) this.#watch ??= setInterval(() => this.#suspendOverdue(), watchMs);
    const wanted = plan.assignment.get(this.#config.memberId) ?? [];
    this.#wanted = new Map(wanted.map((partition) => [partitionName(partition), partition]));
    for (const [name, worker] of [...this.#workers]) {
      // Its topic was deleted since, and another topic has its name.
      if ((plan.topics.get(worker.topic)?.id ?? 0) > worker.lease.topicId) this.#listener.diverged(worker);
      else if (!this.#wanted.has(name)) void this.#revoke(name, worker, this.#config.revokeTimeoutMs);
    }
    return this.#take();
  }

  /** Renews the leases that are due, with one command per partition, all in one round trip. A commit renews its own. */
  async renew(): Promise<void> {
    const sentAt = performance.now();
    const due: Renewal[] = [];
    for (const worker of this.#workers.values()) {
      if (!worker.holds.has('suspended') && !worker.lease.isDue(sentAt)) continue;
      due.push({ worker, sentAt, confirmed: worker.offsets.confirmed, read: worker.anchor?.endOffset ?? 0 });
    }
    if (due.length === 0) return;
    const leases = due.map(({ worker: { lease } }) => ({
      ...lease.holder,
      place: lease.place,
      leaseMs: lease.leaseMs,
    }));
    const replies = await renewLeases(this.#client, leases);
    for (const [index, renewal] of due.entries()) this.#conclude(renewal, replies[index]);
    const failure = replies.find((reply) => reply instanceof Error);
    if (failure !== undefined) throw failure;
  }

  /** Redis may have lost writes: the next heartbeat renews every lease, due or not. */
  markUncertain(): void {
    const now = performance.now();
    for (const worker of this.#workers.values()) worker.lease.markUncertain(now);
  }

  /** Gives up the partition of a closed worker without a call to Redis, and takes it again when it can. */
  drop(worker: PartitionWorker): void {
    const name = partitionName(worker);
    if (this.#workers.get(name) === worker) this.#workers.delete(name);
    this.#takeSoon();
  }

  /** Hands everything over; resolves by the deadline. */
  async stop(deadlineMs: number): Promise<void> {
    this.#isStopping = true;
    stopTimer(this.#timer);
    await this.#taking?.catch(() => undefined);
    const ends = [...this.#workers].map(([name, worker]) => this.#revoke(name, worker, deadlineMs));
    await Promise.all(ends);
  }

  close(): void {
    this.#isStopping = true;
    clearInterval(this.#watch);
    stopTimer(this.#timer);
    for (const worker of this.#workers.values()) worker.close();
    this.#workers.clear();
  }

  #suspendOverdue(): void {
    const now = performance.now();
    for (const worker of this.#workers.values()) if (!worker.lease.isValid(now)) worker.suspend();
  }

  #conclude({ worker, sentAt, confirmed, read }: Renewal, reply: RenewReply | Error | undefined): void {
    if (worker.isClosed || reply instanceof Error) return;
    // A seek backwards meanwhile confirmed less.
    const known = Math.min(confirmed, worker.offsets.confirmed);
    if (reply === undefined || reply.committed < known || reply.end < read) {
      this.#listener.diverged(worker);
      return;
    }
    const { lease } = worker;
    lease.extend(sentAt);
    if (lease.isValid(performance.now())) worker.holds.lift('suspended');
  }

  #revoke(name: string, worker: PartitionWorker, timeoutMs: number): Promise<void> {
    const underWay = this.#revoking.get(name);
    // A stop sets its own deadline for a hand-over that has begun.
    if (underWay !== undefined) return this.#isStopping ? Promise.race([underWay, worker.drain(timeoutMs)]) : underWay;
    const revoking = this.#drainAndRelease(worker, timeoutMs).finally(() => {
      this.#revoking.delete(name);
      this.#takeSoon();
    });
    this.#revoking.set(name, revoking);
    return revoking;
  }

  async #drainAndRelease(worker: PartitionWorker, timeoutMs: number): Promise<void> {
    await worker.drain(timeoutMs);
    if (worker.isClosed) return;
    const isCommitted = await this.#listener.commit(worker);
    if (worker.isClosed) return;
    // All commits and events are done before another member can take it.
    worker.close();
    this.#workers.delete(partitionName(worker));
    this.#listener.revoked(worker);
    try {
      // Without a commit the lease is left to expire: an early release would only make the next owner repeat more work.
      if (isCommitted) await releaseLease(this.#client, worker.place, worker.lease.holder);
    } catch (error) {
      this.#listener.onError(`release ${partitionName(worker)}`, error);
    }
  }

  #takeSoon(): void {
    if (this.#isStopping) return;
    this.#timer ??= startTimer(() => {
      this.#timer = undefined;
      void this.#take();
    }, takeAgainMs);
  }

  /** One attempt to take everything that is assigned and not owned; calls during an attempt wait for it. */
  #take(): Promise<void> {
    this.#taking ??= this.#takeMissing().finally(() => {
      this.#taking = undefined;
    });
    return this.#taking;
  }

  async #takeMissing(): Promise<void> {
    const missing = [...this.#wanted].filter(([name]) => !this.#workers.has(name) && !this.#revoking.has(name));
    const taken = await Promise.all(missing.map(([name, partition]) => this.#takeOne(name, partition)));
    if (taken.includes(false) || [...this.#wanted.keys()].some((name) => !this.#workers.has(name))) this.#takeSoon();
  }

  async #takeOne(name: string, partition: TopicPartition): Promise<boolean> {
    if (this.#isStopping || this.#plan === undefined) return true;
    try {
      const { id, initial = 0 } = this.#plan.topics.get(partition.topic) ?? {};
      const worker = await this.#taker.take(partition, {
        isNew: partition.partition >= initial,
        topicId: id || undefined,
      });
      if (worker === undefined) return false;
      this.#workers.set(name, worker);
      this.#listener.assigned(worker);
      // The plan may have changed while Redis was asked.
      if (!this.#wanted.has(name)) void this.#revoke(name, worker, 0);
      return true;
    } catch (error) {
      this.#listener.onError(`take ${name}`, error);
      return false;
    }
  }
}
