import { pause } from '@millrace/core';
import type { RedisConnection } from '@millrace/redis';
import { redisFailure } from '@millrace/redis';
import type { PublishAnswer, PublishCall } from '../store/publish.js';
import { maxMessages, PublishBatch } from './publish-batch.js';
import type { PublishChannel } from './publish-channel.js';
import type { PublishEntry } from './publish-entry.js';

/** What a lane's calls have in common: where they look for the topology's version, and keep their records. */
export interface LaneTarget {
  /** Keys of the calls that keep their records in that place. */
  keys(place: number): PublishCall['keys'];
  /** Of the calls whose messages were routed by that version. */
  conditions(version: number): PublishCall['conditions'];
}

export type Misrouting =
  | { readonly kind: 'stale'; readonly version: number }
  | { readonly kind: 'gone'; readonly queue: string };

/** What a lane leaves to the publisher. */
export interface LaneOwner {
  /** Every queue of the entry has taken or refused the message. */
  answered(entry: PublishEntry): void;
  /** These must be routed by another topology: the version a script found, or a queue that is not in its slot. */
  misrouted(entries: readonly PublishEntry[], why: Misrouting): void;
  /** A message died in this queue and is to be carried on. */
  died(queue: string): void;
}

/**
 * Calls under way simultaneously. Two keep the server busy while the next is made; a third would only be smaller. Full ones may be
 * four, for a server that is far away.
 */
const maxCalls = 4;
const maxSmallCalls = 2;
/** Fewer messages are not worth a call of their own. */
const minEarlyMessages = 8;
const firstRetryDelayMs = 20;
const maxRetryDelayMs = 1000;

/**
 * Messages on their way to one script: all queues of one server, or one queue of a cluster. What is published in one tick
 * shares a call, or two of which the first goes before the tick ends. A call that got no reply is sent again as it was:
 * its number tells the script whether it was done already.
 */
export class PublishLane {
  readonly #connection: RedisConnection;
  readonly #channel: PublishChannel;
  readonly #target: LaneTarget;
  readonly #owner: LaneOwner;
  readonly #pending: PublishEntry[] = [];
  /** Calls that failed, to be sent again in their order before anything new. */
  #failed: PublishBatch[] = [];
  /** A record's place is free again when its call has ended, so that no call overwrites the record of one under way. */
  readonly #places: PublishCall['keys'][];
  /** Those of the last version. */
  #conditions: { readonly version: number; readonly prepared: PublishCall['conditions'] } | undefined;
  #number = 0;
  #calls = 0;
  #messagesUnderWay = 0;
  /** Most messages under way since none was, and in the round before that. */
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
    // While nothing is under way a message waits only for those that are published along with it. Else after the tick:
    // what callers publish whose replies came by several reads is in the same call then.
    if (this.#calls === 0) process.nextTick(this.#flushScheduled);
    else setImmediate(this.#flushScheduled);
  }

  /**
   * So many do not wait for the tick to end: a full call, and while nothing is under way half of what is likely to come, so
   * that the server works on it while the process makes the other half.
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
    // It is written, and may be lost by a failover.
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
    // What waits behind it waits for the same reason.
    for (const { publication } of this.#pending) publication.lastFailure = failure;
  }

  /** Sends the failed calls again when Redis is back, or after a pause when it is there and refuses. */
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
