import { pause } from '@millrace/core';
import type { RedisConnection } from '@millrace/redis';
import { redisFailure } from '@millrace/redis';
import type { PublishAnswer, PublishCall } from '../store/publish.js';
import { maxMessages, PublishBatch } from './publish-batch.js';
import type { PublishChannel } from './publish-channel.js';
import type { PublishEntry } from './publish-entry.js';

/** What the calls of a lane share: the keys of the topology's version, and of their records. */
export interface LaneTarget {
  /** Keys of the calls that keep their records in that place. */
  keys(place: number): PublishCall['keys'];
  /** Arguments of the calls whose messages were routed by that version. */
  conditions(version: number): PublishCall['conditions'];
}

export type Misrouting =
  | { readonly kind: 'stale'; readonly version: number }
  | { readonly kind: 'gone'; readonly queue: string };

/** The owner of a lane: what the publisher does for it. */
export interface LaneOwner {
  /** Every queue of the entry has taken or refused the message. */
  answered(entry: PublishEntry): void;
  /** These must be routed again: a script found another topology version, or a queue that is not in its slot. */
  misrouted(entries: readonly PublishEntry[], why: Misrouting): void;
  /** A message died in this queue and must be carried on. */
  died(queue: string): void;
}

/**
 * Most calls under way simultaneously. Two keep the server busy while the next is built; a third would only be smaller. Full calls may be
 * four, for a distant server.
 */
const maxCalls = 4;
const maxSmallCalls = 2;
/** Fewer messages are not worth a call of their own. */
const minEarlyMessages = 8;
const firstRetryDelayMs = 20;
const maxRetryDelayMs = 1000;

/**
 * Messages under way to one script: all queues of one server, or one queue of a cluster. Messages published in one tick
 * share a call, or two, the first of which is sent before the tick ends. A call without a reply is sent again unchanged:
 * its number shows the script whether it was executed.
 */
export class PublishLane {
  readonly #connection: RedisConnection;
  readonly #channel: PublishChannel;
  readonly #target: LaneTarget;
  readonly #owner: LaneOwner;
  readonly #pending: PublishEntry[] = [];
  /** Calls that failed, to be sent again in order before anything new. */
  #failed: PublishBatch[] = [];
  /** A record's place is free again when its call has ended, so that no call overwrites the record of one under way. */
  readonly #places: PublishCall['keys'][];
  /** The conditions of the last version. */
  #conditions: { readonly version: number; readonly prepared: PublishCall['conditions'] } | undefined;
  #number = 0;
  #calls = 0;
  #messagesUnderWay = 0;
  /** Most messages under way since the lane was last empty, and in the round before that. */
  #most = 0;
  #mostBefore = 0;
  #retryDelayMs = firstRetryDelayMs;
  #isScheduled = false;
  #isRetrying = false;

  constructor(
    way: { readonly connection: RedisConnection; readonly channel: PublishChannel },
    target: LaneTarget,
    owner: LaneOwner,
  ) {
    this.#connection = way.connection;
    this.#channel = way.channel;
    this.#target = target;
    this.#owner = owner;
    this.#places = Array.from({ length: maxCalls }, (_, place) => target.keys(place));
  }

  add(entry: PublishEntry): void {
    this.#pending.push(entry);
    if (this.#pending.length >= this.#earlyMessages) this.#flush();
    if (this.#isScheduled || this.#pending.length === 0) return;
    this.#isScheduled = true;
    // While nothing is under way a message waits only for those published in the same tick. Otherwise until after the tick:
    // then messages of callers whose replies came in several reads share a call.
    if (this.#calls === 0) process.nextTick(this.#flushScheduled);
    else setImmediate(this.#flushScheduled);
  }

  /**
   * This many messages do not wait for the tick to end: a full call, or, while nothing is under way, half of the expected number, so
   * that the server works on them while the process builds the other half.
   */
  get #earlyMessages(): number {
    const half = this.#mostBefore / 2;
    return this.#calls > 0 || half < minEarlyMessages ? maxMessages : Math.min(half, maxMessages);
  }

  readonly #flushScheduled = (): void => {
    this.#isScheduled = false;
    this.#flush();
  };

  #flush(): void {
    if (this.#failed.length > 0 || this.#isRetrying) return;
    while (this.#mayCall()) {
      const batch = PublishBatch.cut(this.#pending);
      if (batch === undefined) return;
      this.#send(batch);
    }
  }

  #mayCall(): boolean {
    const waiting = this.#pending.length;
    return waiting > 0 && this.#places.length > 0 && this.#calls < (waiting < maxMessages ? maxSmallCalls : maxCalls);
  }

  #send(batch: PublishBatch): void {
    const place = batch.place ?? this.#places.pop();
    if (place === undefined) throw new Error('there are more calls than places for their records');
    if (batch.place === undefined) batch.number(++this.#number, place);
    this.#calls++;
    this.#messagesUnderWay += batch.entries.length;
    this.#most = Math.max(this.#most, this.#messagesUnderWay);
    batch.isUncertain = true;
    this.#channel.publish(this.#callOf(batch, place)).then(
      (answer) => this.#ended(batch, () => this.#answered(batch, answer)),
      (error: unknown) => this.#ended(batch, () => this.#failedWith(batch, error)),
    );
  }

  #callOf(batch: PublishBatch, keys: PublishCall['keys']): PublishCall {
    const { version } = batch;
    if (this.#conditions?.version !== version) {
      this.#conditions = { version, prepared: this.#target.conditions(version) };
    }
    return {
      keys,
      conditions: this.#conditions.prepared,
      number: batch.callNumber,
      messages: batch.messages,
      targets: batch.targets(this.#connection.prefix),
      brought: batch.brought(this.#connection.prefix),
    };
  }

  #ended(batch: PublishBatch, handle: () => void): void {
    this.#calls--;
    this.#messagesUnderWay -= batch.entries.length;
    if (this.#calls === 0) {
      this.#mostBefore = this.#most;
      this.#most = 0;
    }
    handle();
    if (this.#failed.length === 0) this.#flush();
    else if (this.#calls === 0) void this.#retry();
  }

  #answered(batch: PublishBatch, answer: PublishAnswer): void {
    this.#retryDelayMs = firstRetryDelayMs;
    this.#release(batch);
    const shortfall = answer.kind === 'done' ? answer.shortfall : undefined;
    // It is written, but a failover may lose it.
    if (shortfall !== undefined)
      for (const { publication } of batch.entries) publication.giveUp('not-enough-replicas', shortfall);
    batch.isUncertain = false;
    if (answer.kind === 'late') return;
    if (answer.kind !== 'done') {
      const gone = answer.kind === 'gone' ? batch.queues[answer.target] : undefined;
      this.#owner.misrouted(batch.entries, answer.kind === 'stale' ? answer : { kind: 'gone', queue: gone ?? '' });
      return;
    }
    batch.distribute(answer.exceptions);
    for (const entry of batch.entries) this.#owner.answered(entry);
    for (const target of answer.died) this.#owner.died(batch.queues[target] ?? '');
  }

  #failedWith(batch: PublishBatch, error: unknown): void {
    const { failure, mayBeWritten, isTemporary, description } = redisFailure(error);
    batch.isTainted ||= mayBeWritten;
    if (!batch.isTainted) batch.isUncertain = false;
    for (const { publication } of batch.entries) {
      publication.lastFailure = failure;
      if (!isTemporary || publication.isOverdue) publication.giveUp(failure, description, error);
    }
    if (!isTemporary) {
      this.#release(batch);
      return;
    }
    this.#failed.push(batch);
    // Calls behind it wait for the same reason.
    for (const { publication } of this.#pending) publication.lastFailure = failure;
  }

  /** Sends the failed calls again when Redis is back, or after a pause when Redis is reachable but refuses. */
  async #retry(): Promise<void> {
    if (this.#isRetrying) return;
    this.#isRetrying = true;
    await this.#pause();
    this.#isRetrying = false;
    const again = this.#failed.sort((a, b) => a.callNumber - b.callNumber);
    this.#failed = [];
    for (const batch of again) {
      if (batch.isGivenUp) this.#release(batch);
      else this.#send(batch.forRetry(() => this.#release(batch)));
    }
    this.#flush();
  }

  async #pause(): Promise<void> {
    const delayMs = this.#retryDelayMs;
    this.#retryDelayMs = Math.min(this.#retryDelayMs * 2, maxRetryDelayMs);
    await pause(delayMs, { ref: false });
    await this.#connection.whenReady(maxRetryDelayMs).catch(() => undefined);
  }

  #release(batch: PublishBatch): void {
    if (batch.place !== undefined) this.#places.push(batch.place);
    batch.place = undefined;
  }
}
