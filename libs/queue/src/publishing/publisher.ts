import { ClosedError, DamagedStateError, InvalidMessageError, pause, TopologyNotFoundError } from '@millrace/core';
import type { FirstUse } from '@millrace/delivery';
import { type RedisConnection, redisFailure } from '@millrace/redis';
import type { BrokerOptions } from '../broker-options.js';
import type { Router } from '../model/routing.js';
import { queueOf } from '../model/shards.js';
import { assertSound } from '../model/topology.js';
import { writeQueue } from '../store/queue-slot.js';
import type { TopologyCache } from '../topology/topology-cache.js';
import type { Publication } from './publication.js';
import type { PublishEntry } from './publish-entry.js';
import type { LaneOwner, Misrouting } from './publish-lane.js';
import { PublishLanes } from './publish-lanes.js';
import { PublishWindow } from './publish-window.js';
import { ShardChoice } from './shard-choice.js';
import { TopicFeed } from './topic-feed.js';

/** A declared queue that is not in its slot is being deleted, or was lost: how long to wait for the deletion to end. */
const goneDelayMs = 100;

/** Publishes messages to their queues and topics: routes them, passes them to the lanes, and collects the replies. */
export class Publisher implements LaneOwner {
  readonly #connection: RedisConnection;
  readonly #cache: TopologyCache;
  readonly #options: BrokerOptions;
  readonly #window: PublishWindow;
  readonly #lanes: PublishLanes;
  readonly topics = new TopicFeed();
  readonly #shards = new ShardChoice();
  /** Called when a publish made a message of a queue a dead letter. */
  onDied: (queue: string) => void = () => undefined;
  /** What must be done before the first message is routed; undefined: nothing, or it is done. */
  firstUse: FirstUse | undefined;
  #isClosed = false;
  #isAbandoned = false;

  constructor(connection: RedisConnection, cache: TopologyCache, options: BrokerOptions) {
    this.#connection = connection;
    this.#cache = cache;
    this.#options = options;
    this.#window = new PublishWindow(options);
    this.#lanes = new PublishLanes(connection, options, this);
  }

  /**
   * Sends a message; its listener gets the result. Returns a promise only when the caller must wait before it
   * sends the next: the window is full, or the topology is not known yet.
   */
  send(publication: Publication): Promise<void> | undefined {
    if (this.#isClosed) return Promise.reject(this.#closedError());
    const { known } = this.#cache;
    if (known === undefined || this.firstUse !== undefined || !this.#window.hasRoom())
      return this.#sendLater(publication);
    this.#window.enter(publication);
    this.#routeBy(known, publication);
    return undefined;
  }

  async #sendLater(publication: Publication): Promise<void> {
    if (this.firstUse !== undefined) {
      if (!(await this.#isPrepared(this.firstUse, publication))) return;
      this.firstUse = undefined;
    }
    if (!(await this.#window.room(publication.deadlineMs - performance.now()))) {
      publication.giveUp(
        'timeout',
        `${this.#window.count} messages wait for their receipts, and none was confirmed in time`,
      );
      return;
    }
    if (this.#isAbandoned) {
      publication.fail(this.#closedError());
      return;
    }
    this.#window.enter(publication);
    await this.#route(publication);
  }

  /** Waits for what must be done before the first message is routed. False: it timed out, and the message has failed. */
  async #isPrepared(firstUse: FirstUse, publication: Publication): Promise<boolean> {
    if (await firstUse.done(publication.deadlineMs - performance.now())) return true;
    if (this.#connection.isUp)
      publication.giveUp('timeout', 'what must be declared before the first message was not declared in time');
    else publication.giveUp('unavailable', `Redis is away: ${this.#connection.downReason}`);
    return false;
  }

  get events(): BrokerOptions['events'] {
    return this.#options.events;
  }

  /** Its connection was closed: nothing more is sent, and nothing more is confirmed. */
  abandon(): void {
    this.#isClosed = true;
    this.#isAbandoned = true;
    this.#window.giveUp('unavailable', 'the connection to Redis was closed before it was confirmed');
  }

  #closedError(): ClosedError {
    return new ClosedError(this.#isAbandoned ? 'the connection to Redis' : 'the broker');
  }

  /** Accepts no more messages, and waits until each has its receipt or error. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#window.drained();
    this.#lanes.close();
  }

  /** An unknown target may have been declared meanwhile, by another process: then the topology is read again. */
  #routeBy(router: Router, publication: Publication): void {
    try {
      if (!this.#tryRoute(publication, router)) void this.#route(publication);
    } catch (error) {
      // It may have been repaired meanwhile, by another process.
      if (error instanceof DamagedStateError) void this.#route(publication);
      else publication.fail(error);
    }
  }

  async #route(publication: Publication): Promise<void> {
    try {
      const router = await this.#cache.reload();
      if (!this.#tryRoute(publication, router)) throw targetNotFound(publication, router);
    } catch (error) {
      this.#routingFailed(publication, error);
    }
  }

  #tryRoute(publication: Publication, router: Router): boolean {
    const { target } = publication;
    const { exchange } = target;
    const { exchanges, queues } = router.topology;
    if (exchange === '' ? target.isSentToQueue && !queues.has(target.routingKey) : !exchanges.has(exchange))
      return false;
    // A queue may send its dead letters there, like another exchange.
    if (exchanges.get(exchange)?.internal === true && publication.source === undefined) {
      throw new InvalidMessageError(`exchange "${exchange}" is internal: only other exchanges may send to it.`);
    }
    publication.route = router.route(exchange, target);
    this.topics.check(publication);
    this.#dispatch(publication, router);
    return true;
  }

  #dispatch(publication: Publication, router: Router): void {
    publication.slots = this.#shards.slots(publication, router);
    if (!this.#lanes.send(publication, router)) this.#finish(publication);
  }

  answered({ publication }: PublishEntry): void {
    if (--publication.outstanding === 0) this.#finish(publication);
  }

  died(queue: string): void {
    this.onDied(queue);
  }

  misrouted(entries: readonly PublishEntry[], why: Misrouting): void {
    void this.#again(entries, why);
  }

  /** Routes messages again, in order. In a cluster a message waits until all its calls have replied. */
  async #again(entries: readonly PublishEntry[], why: Misrouting): Promise<void> {
    const waiting = entries.filter(({ publication }) => !publication.isSettled);
    let router: Router | undefined;
    try {
      router =
        why.kind === 'stale' ? await this.#cache.matching(why.version) : await this.#restored(queueOf(why.queue));
      // Refused by the same version that it was routed by: the stored version is invalid, and may stay so.
      const isNone = entries.some((entry) => entry.router.topology.version === router?.topology.version);
      if (why.kind === 'stale' && isNone) await pause(goneDelayMs);
    } catch (error) {
      for (const { publication } of waiting) this.#routingFailed(publication, error);
      return;
    }
    for (const { publication } of waiting) {
      publication.isMisrouted = true;
      if (--publication.outstanding === 0) this.#finish(publication, router);
    }
  }

  /** A declared queue is not in its slot: after a pause, in which a deletion under way may end, it is created again. */
  async #restored(queue: string): Promise<Router> {
    await pause(goneDelayMs);
    const router = await this.#cache.reload();
    const settings = router.topology.queues.get(queue);
    const { commands, prefix } = this.#connection;
    if (settings !== undefined) await writeQueue(commands, prefix, settings, router.topology.version);
    return router;
  }

  #finish(publication: Publication, router?: Router): void {
    if (publication.isSettled) return;
    if (publication.isMisrouted) {
      publication.isMisrouted = false;
      const current = router ?? this.#cache.known;
      if (current === undefined) void this.#route(publication);
      else this.#routeBy(current, publication);
    } else if (publication.route.topics.length === 0) publication.confirm();
    else void this.topics.append(publication);
  }

  /** Redis is unreachable while the topology is read: this is retried until the message's deadline. Any other error is the caller's. */
  #routingFailed(publication: Publication, error: unknown): void {
    const isOwn = [InvalidMessageError, TopologyNotFoundError, DamagedStateError].some((kind) => error instanceof kind);
    if (isOwn) {
      publication.fail(error);
      return;
    }
    const { failure, isTemporary, description } = redisFailure(error);
    publication.lastFailure = failure;
    if (!isTemporary) publication.giveUp(failure, description, error);
    else this.#retryRouting(publication);
  }

  #retryRouting(publication: Publication): void {
    this.#connection
      .whenReady(this.#options.deliveryTimeoutMs)
      .then(() => pause(goneDelayMs))
      .then(() => (publication.isSettled ? undefined : this.#route(publication)))
      .catch(() => undefined);
  }
}

/**
 * The error of a message whose exchange, or queue, is not declared.
 *
 * @throws {DamagedStateError} it is declared, and its stored settings are damaged
 */
function targetNotFound({ target }: Publication, { topology }: Router): TopologyNotFoundError {
  const { exchange, routingKey } = target;
  if (exchange === '') assertSound(topology, 'queue', routingKey);
  else assertSound(topology, 'exchange', exchange);
  return exchange === ''
    ? new TopologyNotFoundError('queue', routingKey)
    : new TopologyNotFoundError('exchange', exchange);
}
