import { DamagedStateError, InvalidMessageError, pause, TopologyNotFoundError } from '@millrace/core';
import { type RedisConnection, redisFailure } from '@millrace/redis';
import type { BrokerOptions } from '../broker-options.js';
import type { NextStep } from '../model/publication-state.js';
import type { Router } from '../model/routing.js';
import { queueOf } from '../model/shards.js';
import { assertSound } from '../model/topology.js';
import { writeQueue } from '../store/queue-slot.js';
import type { TopologyCache } from '../topology/topology-cache.js';
import type { CallItem } from './call-item.js';
import type { Publication } from './publication.js';
import type { Misrouting, PipelineListener } from './publish-pipeline.js';
import { PublishPipelines } from './publish-pipelines.js';
import { ShardChoice } from './shard-choice.js';
import { TopicFeed } from './topic-feed.js';

/** A declared queue that is not in its slot is being deleted, or was lost: how long to wait for the deletion to end. */
const goneDelayMs = 100;

/**
 * Brings messages from the window to their receipts: routes each, sends it to the pipelines of its slots, then to its topics; and routes it
 * again when a script found another topology.
 */
export class PublicationRouting implements PipelineListener {
  readonly #connection: RedisConnection;
  readonly #cache: TopologyCache;
  readonly #deliveryTimeoutMs: number;
  readonly #pipelines: PublishPipelines;
  readonly #shards = new ShardChoice();
  readonly topics = new TopicFeed();
  /** Called when a publish made a message of this slot a dead letter. */
  onDied: (slot: string) => void = () => undefined;

  constructor(connection: RedisConnection, cache: TopologyCache, options: BrokerOptions) {
    this.#connection = connection;
    this.#cache = cache;
    this.#deliveryTimeoutMs = options.deliveryTimeoutMs;
    this.#pipelines = new PublishPipelines(connection, options, this);
  }

  close(): void {
    this.#pipelines.close();
  }

  /** By the topology as it is known. What it does not have may have been declared, or repaired, by another process: then it is read again. */
  routeBy(router: Router, publication: Publication): void {
    try {
      if (!this.#tryRoute(publication, router)) void this.route(publication);
    } catch (error) {
      if (error instanceof DamagedStateError) void this.route(publication);
      else publication.fail(error);
    }
  }

  /** By the topology as Redis has it now. */
  async route(publication: Publication): Promise<void> {
    try {
      const router = await this.#cache.reload();
      if (!this.#tryRoute(publication, router)) throw targetNotFound(publication, router);
    } catch (error) {
      this.#routingFailed(publication, error);
    }
  }

  replied({ publication }: CallItem): void {
    this.#continue(publication, publication.callEnded('replied'));
  }

  died(slot: string): void {
    this.onDied(slot);
  }

  misrouted(items: readonly CallItem[], why: Misrouting): void {
    void this.#again(items, why);
  }

  #tryRoute(publication: Publication, router: Router): boolean {
    const { target } = publication;
    const { exchange } = target;
    const { exchanges, queues } = router.topology;
    if (exchange === '' ? target.isSentToQueue && !queues.has(target.routingKey) : !exchanges.has(exchange))
      return false;
    // A queue may send its dead letters there, like another exchange.
    if (exchanges.get(exchange)?.internal === true && target.source === undefined) {
      throw new InvalidMessageError(`exchange "${exchange}" is internal: only other exchanges may send to it.`);
    }
    publication.route = router.route(exchange, target);
    this.topics.check(publication);
    publication.slots = this.#shards.slots(publication, router);
    if (!this.#pipelines.send(publication, router)) this.#continue(publication, publication.next());
    return true;
  }

  #continue(publication: Publication, step: NextStep, router?: Router): void {
    if (step === 'confirm') publication.confirm();
    else if (step === 'append') void this.topics.append(publication);
    else if (step === 'route') this.#routeAgain(publication, router ?? this.#cache.known);
  }

  #routeAgain(publication: Publication, router: Router | undefined): void {
    if (router === undefined) void this.route(publication);
    else this.routeBy(router, publication);
  }

  /** Routes messages again, in order. In a cluster a message waits until all its calls have ended. */
  async #again(items: readonly CallItem[], why: Misrouting): Promise<void> {
    let router: Router | undefined;
    let failure: { readonly error: unknown } | undefined;
    try {
      router = why.kind === 'stale' ? await this.#cache.matching(why.version) : await this.#restored(queueOf(why.slot));
      // Refused by the same version that it was routed by: the stored version is invalid, and may stay so.
      const isNone = items.some((item) => item.router.topology.version === router?.topology.version);
      if (why.kind === 'stale' && isNone) await pause(goneDelayMs);
    } catch (error) {
      failure = { error };
    }
    for (const { publication } of items) {
      const step = publication.callEnded('misrouted');
      if (failure !== undefined && step === 'route') this.#routingFailed(publication, failure.error);
      else this.#continue(publication, step, router);
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
      .whenReady(this.#deliveryTimeoutMs)
      .then(() => pause(goneDelayMs))
      .then(() => (publication.isSettled ? undefined : this.route(publication)))
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
  const kind = exchange === '' ? 'queue' : 'exchange';
  const name = exchange === '' ? routingKey : exchange;
  assertSound(topology, kind, name);
  return new TopologyNotFoundError(kind, name);
}
