import { pause } from '@millrace/core';
import { type RedisConnection, redisFailure } from '@millrace/redis';
import { CallFlow, maxCalls } from '../model/call-flow.js';
import type { PublishAnswer } from '../store/publish.js';
import type { PublishCalls } from '../store/publish-calls.js';
import type { CallItem } from './call-item.js';
import { PublishBatch } from './publish-batch.js';
import type { PublishChannel } from './publish-channel.js';

export type Misrouting =
  | { readonly kind: 'stale'; readonly version: number }
  | { readonly kind: 'gone'; readonly slot: string };

/** What a pipeline reports about its calls. */
export interface PipelineListener {
  /** Every slot of the item has taken or refused the message. */
  replied(item: CallItem): void;
  /** These must be routed again: a script found another topology version, or a queue that is not in its slot. */
  misrouted(items: readonly CallItem[], why: Misrouting): void;
  /** A message died in this slot and must be carried on. */
  died(slot: string): void;
}

/** See the diagram of `PublishPipeline`. */
type PipelineState =
  | { readonly kind: 'open' }
  | { readonly kind: 'draining' | 'pausing'; readonly failed: readonly PublishBatch[] };

const open: PipelineState = { kind: 'open' };
const firstRetryDelayMs = 20;
const maxRetryDelayMs = 1000;

/**
 * One slot's ordered stream of calls; on one server a single stream for all slots. Messages published in one tick share a call, or two, the
 * first of which is sent before the tick ends. A call without a reply is sent again unchanged: its number shows the script whether it was
 * executed.
 *
 *          a call failed                 no call is under way
 *   open ────────────────▶ draining ──────────────────────────▶ pausing
 *    ▲                                                             │
 *    └──── the failed calls are sent again, in their order ────────┘
 *
 * Only an open pipeline sends what is new: nothing overtakes a failed call.
 */
export class PublishPipeline {
  readonly #connection: RedisConnection;
  readonly #channel: PublishChannel;
  readonly #calls: PublishCalls;
  readonly #listener: PipelineListener;
  #state: PipelineState = open;
  readonly #pending: CallItem[] = [];
  readonly #flow = new CallFlow();
  /** A record's place is free again when its call has ended, so that no call overwrites the record of one under way. */
  readonly #places = Array.from({ length: maxCalls }, (_, place) => place);
  #number = 0;
  #retryDelayMs = firstRetryDelayMs;
  #isScheduled = false;

  constructor(
    redis: { readonly connection: RedisConnection; readonly channel: PublishChannel },
    calls: PublishCalls,
    listener: PipelineListener,
  ) {
    this.#connection = redis.connection;
    this.#channel = redis.channel;
    this.#calls = calls;
    this.#listener = listener;
  }

  add(item: CallItem): void {
    this.#pending.push(item);
    if (this.#pending.length >= this.#flow.earlyMessages) this.#flush();
    if (this.#isScheduled || this.#pending.length === 0) return;
    this.#isScheduled = true;
    // While nothing is under way a message waits only for those published in the same tick. Otherwise until after the tick:
    // then messages of callers whose replies came in several reads share a call.
    if (this.#flow.isIdle) process.nextTick(this.#flushScheduled);
    else setImmediate(this.#flushScheduled);
  }

  readonly #flushScheduled = (): void => {
    this.#isScheduled = false;
    this.#flush();
  };

  #flush(): void {
    if (this.#state.kind !== 'open') return;
    while (this.#flow.mayCall(this.#pending.length)) {
      const batch = PublishBatch.cut(this.#pending);
      if (batch === undefined) return;
      this.#send(batch);
    }
  }

  #send(batch: PublishBatch): void {
    const place = this.#placeOf(batch);
    this.#flow.began(batch.items.length);
    batch.isUncertain = true;
    this.#channel.publish(this.#calls.call(batch, place)).then(
      (answer) => this.#ended(batch, () => this.#answered(batch, answer)),
      (error: unknown) => this.#ended(batch, () => this.#failed(batch, error)),
    );
  }

  /** A call that is sent again keeps its place and number. */
  #placeOf(batch: PublishBatch): number {
    if (batch.place !== undefined) return batch.place;
    const place = this.#places.pop();
    if (place === undefined) throw new Error('there are more calls than places for their records');
    batch.place = place;
    batch.number = ++this.#number;
    return place;
  }

  #ended(batch: PublishBatch, handle: () => void): void {
    this.#flow.ended(batch.items.length);
    handle();
    if (this.#state.kind === 'open') this.#flush();
    else if (this.#state.kind === 'draining' && this.#flow.isIdle) void this.#retry(this.#state.failed);
  }

  #answered(batch: PublishBatch, answer: PublishAnswer): void {
    this.#retryDelayMs = firstRetryDelayMs;
    this.#release(batch);
    const shortfall = answer.kind === 'done' ? answer.shortfall : undefined;
    // It is written, but a failover may lose it.
    if (shortfall !== undefined)
      for (const { publication } of batch.items) publication.giveUp('not-enough-replicas', shortfall);
    batch.isUncertain = false;
    if (answer.kind === 'late') return;
    if (answer.kind !== 'done') {
      const why: Misrouting =
        answer.kind === 'stale' ? answer : { kind: 'gone', slot: batch.slots[answer.target] ?? '' };
      this.#listener.misrouted(batch.items, why);
      return;
    }
    batch.distribute(answer.exceptions);
    for (const item of batch.items) this.#listener.replied(item);
    for (const target of answer.died) this.#listener.died(batch.slots[target] ?? '');
  }

  #failed(batch: PublishBatch, error: unknown): void {
    const { failure, mayBeWritten, isTemporary, description } = redisFailure(error);
    batch.isTainted ||= mayBeWritten;
    if (!batch.isTainted) batch.isUncertain = false;
    for (const { publication } of batch.items) {
      publication.lastFailure = failure;
      if (!isTemporary || publication.isOverdue) publication.giveUp(failure, description, error);
    }
    if (!isTemporary) {
      this.#release(batch);
      return;
    }
    const others = this.#state.kind === 'open' ? [] : this.#state.failed;
    this.#state = { kind: 'draining', failed: [...others, batch] };
    // What is behind it waits for the same reason.
    for (const { publication } of this.#pending) publication.lastFailure = failure;
  }

  /** Sends the failed calls again when Redis is back, or after a pause when Redis is reachable but refuses. */
  async #retry(failed: readonly PublishBatch[]): Promise<void> {
    this.#state = { kind: 'pausing', failed };
    const delayMs = this.#retryDelayMs;
    this.#retryDelayMs = Math.min(delayMs * 2, maxRetryDelayMs);
    await pause(delayMs, { ref: false });
    await this.#connection.whenReady(maxRetryDelayMs).catch(() => undefined);
    this.#state = open;
    for (const batch of [...failed].sort((a, b) => a.number - b.number)) {
      if (batch.isGivenUp) this.#release(batch);
      else this.#send(batch.forRetry(() => this.#release(batch)));
    }
    this.#flush();
  }

  #release(batch: PublishBatch): void {
    if (batch.place !== undefined) this.#places.push(batch.place);
    batch.place = undefined;
  }
}
