import { assertNoProblem, LeaseLostError, pause } from '@millrace/core';
import {
  Lifecycle,
  type LifecycleState,
  PollLoop,
  type Service,
  type StopOptions,
  waitOutsideHandlers,
} from '@millrace/delivery';
import { callError, reach } from '@millrace/redis';
import { type TopicPartition, topicPartitionProblem } from '../model/topic-partition.js';
import type { PartitionWorker } from '../partition/partition-worker.js';
import { offsetOf, type SeekTarget } from '../reader/seek-target.js';
import { Committer } from './committer.js';
import type { ConsumerDependencies } from './consumer-dependencies.js';
import type { ConsumerOptions } from './consumer-options.js';
import { Fetcher } from './fetcher.js';
import { GroupWorkerContext } from './group-worker-context.js';
import { Membership } from './membership.js';
import { membershipConfig } from './membership-config.js';
import { type OwnedPartition, ownedPartition } from './owned-partition.js';
import { Ownership } from './ownership.js';
import { OwnershipEvents } from './ownership-events.js';
import { PartitionTaker } from './partition-taker.js';
import { Pauses } from './pauses.js';

const defaultStopMs = 30_000;

/** How long a stop waits, past its deadline, for Redis to accept the commits and release the leases. */
const stopGraceMs = 1000;

/**
 * A member of a consumer group: it gets its share of the partitions, handles their records and commits its progress. A
 * record is handled at least once: again when the member dies before its commit.
 */
export class GroupConsumer implements Service {
  /** The resolved options, with defaults. */
  readonly options: ConsumerOptions;
  /** Its id in the group. */
  readonly memberId: string;
  readonly #dependencies: ConsumerDependencies;
  readonly #lifecycle = new Lifecycle();
  readonly #membership: Membership;
  readonly #ownership: Ownership;
  readonly #taker: PartitionTaker;
  readonly #committer: Committer;
  readonly #fetcher: Fetcher;
  readonly #context: GroupWorkerContext;
  readonly #heartbeat: PollLoop;
  readonly #pauses: Pauses;
  readonly #ownershipEvents: OwnershipEvents;
  readonly #onUp = (): void => {
    this.#membership.forgetConnection();
    this.#ownership.markUncertain();
    this.#heartbeat.wake();
  };

  constructor(dependencies: ConsumerDependencies, options: ConsumerOptions) {
    const { connection, events, reader } = dependencies;
    this.options = options;
    this.#dependencies = dependencies;
    this.#pauses = new Pauses(options.startPaused);
    const config = membershipConfig(options);
    this.memberId = config.memberId;
    const onError = (duty: string, error: unknown): void => void events.emit('background-error', { duty, error });
    this.#membership = new Membership(connection, config, {
      planned: (plan) => void this.#ownership.follow(plan),
      replaced: () => void this.#replaced(),
      serverChanged: () => void this.#ownershipEvents.verifyAll(),
      forgotten: () => this.#ownership.markUncertain(),
      failed: (error) => onError('look for topics', error),
    });
    this.#context = new GroupWorkerContext(dependencies, options, {
      commitSoon: () => this.#committer.soon(),
      fetchSoon: () => this.#fetcher.wake(),
      reconnect: () => this.#fetcher.reconnect(),
      resolveGap: (worker, offset) => this.#resolveGap(worker, offset),
      diverged: (worker) => this.#ownershipEvents.diverged(worker),
      owned: () => this.#ownership.size,
      unreadable: () => this.assignment.filter(({ unreadable }) => unreadable !== undefined).length,
      onError,
    });
    this.#ownershipEvents = new OwnershipEvents(dependencies, this.#context, this.#pauses, {
      ownership: () => this.#ownership,
      fetcher: () => this.#fetcher,
    });
    const { owner } = this.#membership;
    const isLive = (holder: string): Promise<boolean> => this.#membership.isLive(holder);
    this.#taker = new PartitionTaker(connection, { owner, isLive, options }, reader, events, this.#context);
    this.#ownership = new Ownership({ ...options, memberId: this.memberId }, this.#taker, connection.commands, {
      assigned: (worker) => this.#ownershipEvents.assigned(worker),
      revoked: (worker) => this.#ownershipEvents.revoked(worker),
      diverged: (worker) => this.#ownershipEvents.diverged(worker),
      commit: (worker) => this.#committer.commit(worker),
      onError,
    });
    const workers = (): Iterable<PartitionWorker> => this.#ownership.workers;
    this.#committer = new Committer(options.commitIntervalMs, connection.commands, workers);
    const share = () => this.#context.shareOfPrefetch();
    this.#fetcher = new Fetcher(connection, workers, share, (error) =>
      onError(`read for group "${options.group}"`, error),
    );
    this.#heartbeat = new PollLoop(
      () => this.#beat(),
      (error) => onError(`heartbeat of group "${options.group}"`, error),
    );
  }

  /** The state between start and stop. */
  get state(): LifecycleState {
    return this.#lifecycle.state;
  }

  /** The partitions that this member owns at present. */
  get assignment(): readonly OwnedPartition[] {
    return [...this.#ownership.workers].map(ownedPartition);
  }

  /**
   * Joins the group. Resolves when the free partitions are taken: what is written from then on is handled.
   *
   * @throws {UnavailableError} Redis is unreachable; `start` may be called again
   */
  start(): Promise<void> {
    return this.#lifecycle.start(async () => {
      const { connection } = this.#dependencies;
      const what = `start a member of group "${this.options.group}"`;
      await reach(connection, { what, timeoutMs: connection.options.connectTimeoutMs }, () => this.#join());
      connection.on('up', this.#onUp);
      await this.#heartbeat.start();
      await this.#fetcher.start();
      this.#context.emitStarted();
    });
  }

  /**
   * Starts no new record, lets running handlers end by the deadline (default 30 s), commits, hands the partitions over and
   * leaves. What did not end is abandoned: its signal is aborted and another member handles it again. A Redis that does not
   * reply gets one more second; then leases and membership are left to expire. Inside a handler, stop does not wait for it.
   */
  stop({ deadlineMs = defaultStopMs }: StopOptions = {}): Promise<void> {
    const onError = (error: unknown): void => this.#context.onError(`stop a member of "${this.options.group}"`, error);
    return waitOutsideHandlers(this.#stop(deadlineMs), onError);
  }

  #stop(deadlineMs: number): Promise<void> {
    return this.#lifecycle.stop(async () => {
      const isOver = pause(deadlineMs + stopGraceMs, { ref: false });
      await Promise.race([this.#ownership.stop(deadlineMs), isOver]);
      await Promise.race([this.#end(), isOver]);
      await Promise.race([this.#membership.leave().catch(() => undefined), isOver]);
      this.#context.emitStopped();
    });
  }

  /**
   * Starts nothing more of these partitions (default: all, also those it gets later) until `resume`, and stops reading them.
   * Resolves when running handlers have ended, or on a resume or stop before that; inside a handler immediately.
   */
  pause(partitions?: readonly TopicPartition[]): Promise<void> {
    this.#pauses.pause(partitions);
    return waitOutsideHandlers(this.#pauses.wait.until(this.#ownershipEvents.applyPauses()), () => undefined);
  }

  /** Resumes these partitions; all when none is given. */
  resume(partitions?: readonly TopicPartition[]): void {
    this.#pauses.resume(partitions);
    void this.#ownershipEvents.applyPauses();
  }

  /**
   * Sets the group's offset in a partition that this member owns, forwards or back, and continues there. Resolves when Redis has
   * the offset, also inside a handler. Running records end first, and no longer change the offset; they may be handled again.
   *
   * @throws {OptionsError} not a partition, or not an offset or place in one
   * @throws {LeaseLostError} the partition is not, or no longer, owned by this member
   * @throws {OffsetOutOfRangeError} the log does not hold that offset
   */
  async seek(where: TopicPartition, to: SeekTarget): Promise<void> {
    assertNoProblem('seek', topicPartitionProblem(where));
    const worker = this.#ownership.find(where);
    if (worker === undefined) {
      const what = `topic "${where.topic}", partition ${where.partition}`;
      throw new LeaseLostError(
        `${what} is not owned by this member of group "${this.options.group}": call seek on its owner.`,
      );
    }
    await worker.seek(await offsetOf(this.#dependencies.reader, worker, to));
  }

  /** Commits everything that is done; the record of a running handler is not. @throws {LeaseLostError} @throws {UnavailableError} */
  async commit(): Promise<void> {
    try {
      await Promise.all([...this.#ownership.workers].map((worker) => worker.offsets.flush()));
    } catch (error) {
      throw callError(`commit for group "${this.options.group}"`, error);
    }
  }

  async #join(): Promise<void> {
    await this.#membership.join();
    await this.#ownership.follow(this.#membership.plan);
  }

  async #beat(): Promise<number> {
    const [restMs] = await Promise.all([this.#membership.beat(), this.#ownership.renew()]);
    return restMs;
  }

  async #resolveGap(worker: PartitionWorker, offset: number): Promise<number | undefined> {
    const { end } = await this.#dependencies.reader.state(worker.topic, worker.partition);
    return this.#taker.resume(worker, worker.position, { start: offset, end });
  }

  async #replaced(): Promise<void> {
    const { group } = this.options;
    const error = new LeaseLostError(
      `member "${this.memberId}" of group "${group}" was taken over by another process. This consumer stops: give each its own memberId.`,
    );
    this.#context.onError(`consume as a member of group "${group}"`, error);
    this.#ownership.close();
    await this.#lifecycle.stop(() => this.#end());
  }

  async #end(): Promise<void> {
    this.#pauses.wait.end();
    this.#dependencies.connection.off('up', this.#onUp);
    this.#committer.close();
    this.#ownership.close();
    await Promise.all([this.#heartbeat.stop(), this.#fetcher.stop()]);
    this.#context.dispatcher.close();
    this.#context.deadLetters.close();
    this.#dependencies.onStopped?.();
  }
}
