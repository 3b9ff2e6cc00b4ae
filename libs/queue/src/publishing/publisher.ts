import { randomBytes } from 'node:crypto';
import { ClosedError, InvalidMessageError, pause, TopologyNotFoundError } from '@millrace/core';
import type { FirstUse } from '@millrace/delivery';
import { Cluster, PreparedArguments, type RedisConnection, redisFailure } from '@millrace/redis';
import type { BrokerOptions } from '../broker-options.js';
import type { Router } from '../model/routing.js';
import { queueOf } from '../model/shards.js';
import { publishedKey, queueKeys, topologyKeys } from '../store/keys.js';
import { callConditions } from '../store/publish.js';
import { writeQueue } from '../store/queue-slot.js';
import type { TopologyCache } from '../topology/topology-cache.js';
import { isPrepared } from './first-publish.js';
import type { Publication } from './publication.js';
import { PublishChannel } from './publish-channel.js';
import { PublishEntry } from './publish-entry.js';
import { type LaneTarget, type Misrouting, PublishLane } from './publish-lane.js';
import { PublishWindow } from './publish-window.js';
import { ShardChoice } from './shard-choice.js';
import { targetNotFound } from './target-not-found.js';
import { TopicFeed } from './topic-feed.js';

/** A record must outlive every repetition of its call: the caller's patience and what a dead connection may still hold. */
const recordSlackMs = 60_000;
/** A queue that is declared and not in its slot is being deleted, or was lost: so long is waited for the deletion to end. */
const goneDelayMs = 100;

/**
 * Takes messages to their queues and topics: routes them, hands them to the lanes, and gathers the answers. On one
 * server there is one lane; in a cluster one a queue, and one for messages that no queue gets.
 */
export class Publisher {
  readonly #connection: RedisConnection;
  readonly #cache: TopologyCache;
  readonly #options: BrokerOptions;
  readonly #window: PublishWindow;
  readonly #channel: PublishChannel;
  readonly #lanes = new Map<string, PublishLane>();
  readonly #isCluster: boolean;
  readonly #id = randomBytes(6).toString('base64url');
  readonly topics = new TopicFeed();
  readonly #shards = new ShardChoice();
  /** Told when publishing made a message of a queue a dead letter. */
  onDied: (queue: string) => void = () => undefined;
  /** What must be done before the first message is routed; undefined: nothing, or it was. */
  firstUse: FirstUse | undefined;
  #isClosed = false;
  #isAbandoned = false;

  constructor(connection: RedisConnection, cache: TopologyCache, options: BrokerOptions) {
    this.#connection = connection;
    this.#cache = cache;
    this.#options = options;
    this.#window = new PublishWindow(options);
    this.#channel = new PublishChannel(connection, options);
    this.#isCluster = connection.commands instanceof Cluster;
  }

  /**
   * Sends a message on its way; its listener hears the end. Answers a promise only when the caller must wait before it
   * sends the next: the window is full, or nothing is known yet.
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
      if (!(await isPrepared(this.firstUse, publication, this.#connection))) return;
      this.firstUse = undefined;
    }
    if (!(await this.#window.room(publication.deadlineMs - performance.now()))) {
      publication.giveUp('timeout', `${this.#window.count} messages wait for their receipts and none got one in time`);
      return;
    }
    if (this.#isAbandoned) {
      publication.fail(this.#closedError());
      return;
    }
    this.#window.enter(publication);
    await this.#route(publication);
  }

  get events(): BrokerOptions['events'] {
    return this.#options.events;
  }

  /** Its connection was closed for good: nothing more is sent, and what has no receipt will get none. */
  abandon(): void {
    this.#isClosed = true;
    this.#isAbandoned = true;
    this.#window.giveUp('unavailable', 'the connection to Redis was closed before it was confirmed');
  }

  #closedError(): ClosedError {
    return new ClosedError(this.#isAbandoned ? 'the connection to Redis' : 'the broker');
  }

  /** Takes no more, and waits until everything has its receipt or error. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#window.drained();
    this.#channel.close();
  }

  /** What is unknown here may have been declared meanwhile, elsewhere: then it is read again. */
  #routeBy(router: Router, publication: Publication): void {
    try {
      if (!this.#tryRoute(publication, router)) void this.#route(publication);
    } catch (error) {
      publication.fail(error);
    }
  }

  async #route(publication: Publication): Promise<void> {
    try {
      const router = await this.#cache.reload();
      if (!this.#tryRoute(publication, router)) throw targetNotFound(publication);
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
    if (exchanges.get(exchange)?.internal === true) {
      throw new InvalidMessageError(`exchange "${exchange}" is internal: only other exchanges may send to it.`);
    }
    publication.route = router.route(exchange, target);
    this.topics.check(publication);
    this.#dispatch(publication, router);
    return true;
  }

  #dispatch(publication: Publication, router: Router): void {
    const queues = this.#shards.slots(publication, router);
    publication.slots = queues;
    if (!this.#isCluster || queues.length === 0) {
      publication.outstanding = 1;
      this.#lane(undefined).add(new PublishEntry(publication, queues, router));
      return;
    }
    const missing = queues.filter((queue) => !publication.hasReached(queue));
    publication.outstanding = missing.length;
    for (const queue of missing) this.#lane(queue).add(new PublishEntry(publication, [queue], router));
    if (missing.length === 0) this.#finish(publication);
  }

  #lane(queue: string | undefined): PublishLane {
    const name = queue ?? '';
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = new PublishLane({ connection: this.#connection, channel: this.#channel }, this.#target(queue), this);
      this.#lanes.set(name, lane);
    }
    return lane;
  }

  #target(queue: string | undefined): LaneTarget {
    const { prefix } = this.#connection;
    const { meta } = queue === undefined ? topologyKeys(prefix) : queueKeys(prefix, queue);
    const versionField = queue === undefined ? 'version' : 'topology';
    const recordTtlMs = this.#options.deliveryTimeoutMs + recordSlackMs;
    return {
      keys: (place) => new PreparedArguments([meta, publishedKey(prefix, queue, this.#id, place)]),
      conditions: (version) => callConditions(versionField, version, recordTtlMs),
    };
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

  /** Routes messages anew, in their order. In a cluster a message waits until all its calls have answered. */
  async #again(entries: readonly PublishEntry[], why: Misrouting): Promise<void> {
    const waiting = entries.filter(({ publication }) => !publication.isSettled);
    let router: Router | undefined;
    try {
      router =
        why.kind === 'stale' ? await this.#cache.matching(why.version) : await this.#restored(queueOf(why.queue));
    } catch (error) {
      for (const { publication } of waiting) this.#routingFailed(publication, error);
      return;
    }
    for (const { publication } of waiting) {
      publication.isMisrouted = true;
      if (--publication.outstanding === 0) this.#finish(publication, router);
    }
  }

  /** A queue is declared and not in its slot: after a moment, which ends a deletion that is under way, it is made again. */
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

  /** Redis is away while the topology is read: that is tried again until the message's deadline. Anything else is the caller's. */
  #routingFailed(publication: Publication, error: unknown): void {
    if (error instanceof InvalidMessageError || error instanceof TopologyNotFoundError) {
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
