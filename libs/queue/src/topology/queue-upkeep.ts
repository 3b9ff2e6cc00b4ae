import { type Events, PollLoop } from '@millrace/delivery';
import { type RedisConnection, redisFailure } from '@millrace/redis';
import type { QueueSettings } from '../model/queue-settings.js';
import type { Router } from '../model/routing.js';
import { slotsOf } from '../model/shards.js';
import { endRegistration } from '../store/departure.js';
import { moveDue } from '../store/due.js';
import { type QueueKeys, queueKeys } from '../store/keys.js';
import { becomeUpkeepLeader, keepOwned, lookAtQueue, type QueueNeeds } from '../store/queue-look.js';
import type { Declarations } from './declarations.js';
import type { TopologyCache } from './topology-cache.js';

/** How often a queue is checked in which something expires soon, and how often one without upkeep. */
const soonMs = 1000;
const calmMs = 4000;
/** For a queue with consumers: they do its upkeep, this is for when they leave. */
const consumedMs = 2 * calmMs;
/** A Broker that is not the upkeep leader asks rarely. An idle Broker costs one command in four or five seconds, and a check per queue. */
const candidateTurnMs = 5000;
const leaderLeaseMs = 3 * calmMs + candidateTurnMs;
/** How long a Broker may be silent before its exclusive queues are deleted. */
const ownerSilenceMs = 3 * candidateTurnMs;
/** Queues checked per turn; with more queues than this each is checked less often. */
const queuesATurn = 500;
/** How long one check of a queue moves due messages, in ms, before the other queues have their turn. */
const mostDueMs = 2000;
/** Without the right to be the leader it asks at most this often. */
const deniedTurnMs = 600_000;

/**
 * The upkeep of queues that may have no consumers, by one Broker at a time, the upkeep leader: ends what has expired there (a queue with a time to live and a dead-letter
 * exchange is how many delay messages), removes completed messages that were kept long enough, carries on what follows from endings,
 * gives back what the last consumer held when it died, and removes queues that are idle for too long or whose owner is gone. Queues with
 * consumers have all that from them; for those this costs a check in eight seconds.
 */
export class QueueUpkeep {
  readonly #connection: RedisConnection;
  readonly #cache: TopologyCache;
  readonly #declarations: Declarations;
  readonly #carry: (queue: string) => void;
  readonly #events: Events;
  readonly #loop: PollLoop;
  /** By slot; monotonic. */
  readonly #lookAgainAt = new Map<string, number>();
  #isDenied = false;
  /** Whether the last turn has left something that is due. */
  #isBehind = false;
  /** The topology's version in the last turn, if it had leftovers. */
  #leftoversAt: number | undefined;

  constructor(
    connection: RedisConnection,
    cache: TopologyCache,
    declarations: Declarations,
    carry: (queue: string) => void,
    events: Events,
  ) {
    this.#connection = connection;
    this.#cache = cache;
    this.#declarations = declarations;
    this.#carry = carry;
    this.#events = events;
    this.#loop = new PollLoop(
      () => this.#turn(),
      (error) => {
        this.#isDenied = redisFailure(error).failure === 'denied';
        events.emit('background-error', { duty: 'upkeep of queues', error });
      },
    );
  }

  /** Safe to call repeatedly. */
  start(): void {
    void this.#loop.start().catch(() => undefined);
  }

  /** Something was declared. */
  wake(): void {
    this.#loop.wake();
  }

  /** Exclusive queues are deleted with their Broker. */
  async stop(): Promise<void> {
    await this.#loop.stop();
    const names = this.#owned(this.#cache.known?.topology.queues.values() ?? []).map(({ name }) => name);
    if (!this.#connection.isUp) return;
    await Promise.allSettled(names.map((name) => this.#declarations.deleteQueue(name)));
  }

  async #turn(): Promise<number> {
    const { commands, prefix } = this.#connection;
    if (!this.#connection.isUp) return soonMs;
    if (this.#isDenied) {
      // Another process may have the right; this one may get it.
      this.#isDenied = false;
      return deniedTurnMs;
    }
    const { owner } = this.#declarations;
    const known = [...(this.#cache.known?.topology.queues.values() ?? [])];
    await Promise.all(
      this.#owned(known)
        .flatMap(slotsOf)
        .map((slot) => keepOwned(commands, prefix, slot)),
    );
    const lead = await becomeUpkeepLeader(commands, prefix, owner, leaderLeaseMs);
    if (lead === undefined) return candidateTurnMs;
    const router = await this.#cache.asOf(lead.version);
    await this.#removeLeftovers(router);
    const queues = [...router.topology.queues.values()];
    const slots = new Map(queues.flatMap((queue) => slotsOf(queue).map((slot) => [slot, queue] as const)));
    for (const slot of this.#lookAgainAt.keys()) if (!slots.has(slot)) this.#lookAgainAt.delete(slot);
    const now = performance.now();
    const due = [...slots].filter(([slot]) => (this.#lookAgainAt.get(slot) ?? 0) <= now);
    this.#isBehind = false;
    await Promise.all(due.slice(0, queuesATurn).map(([slot, queue]) => this.#tryLookAfter(slot, queue)));
    if (due.length > queuesATurn) return soonMs;
    const next = Math.min(now + calmMs, ...this.#lookAgainAt.values());
    return this.#isBehind ? 0 : Math.max(soonMs, next - performance.now());
  }

  /** Left by a removal that made no progress since the last turn: it was interrupted. */
  async #removeLeftovers({ hasLeftovers, topology }: Router): Promise<void> {
    const wasSeen = this.#leftoversAt === topology.version;
    this.#leftoversAt = hasLeftovers ? topology.version : undefined;
    if (hasLeftovers && wasSeen) await this.#declarations.removeLeftovers();
  }

  #owned(queues: Iterable<QueueSettings>): QueueSettings[] {
    return [...queues].filter(({ owner }) => owner === this.#declarations.owner);
  }

  /** A problem with one queue does not block the upkeep of others. */
  async #tryLookAfter(slot: string, queue: QueueSettings): Promise<void> {
    try {
      await this.#lookAfter(slot, queue);
    } catch (error) {
      if (redisFailure(error).failure !== 'rejected') throw error;
      this.#lookAgainAt.set(slot, performance.now() + calmMs);
      this.#events.emit('background-error', { duty: `upkeep of queue "${queue.name}"`, error });
    }
  }

  async #lookAfter(slot: string, queue: QueueSettings): Promise<void> {
    const { name, priorities, messageTtlMs } = queue;
    const { commands, prefix } = this.#connection;
    const keys = queueKeys(prefix, slot);
    const needs = await lookAtQueue(commands, keys, priorities, ownerSilenceMs);
    const place = { prefix, queue: slot, priorities };
    for (const consumer of needs.gone) await endRegistration(commands, place, consumer, 'expired');
    let isBehind = false;
    // What the slot says may be damaged: a queue is only deleted for what it is declared with.
    if (needs.isOwnerGone && queue.exclusive) await this.#declarations.deleteQueue(name);
    else if (needs.isIdleTooLong && queue.idleExpiryMs !== undefined)
      await this.#declarations.deleteQueue(name, { ifIdle: true });
    else if (needs.hasDue) isBehind = await this.#moveDue(slot, keys, priorities);
    if (needs.hasEnded || needs.hasDue) this.#carry(slot);
    this.#isBehind ||= isBehind;
    this.#lookAgainAt.set(slot, performance.now() + (isBehind ? 0 : restOf(needs, messageTtlMs)));
  }

  /** Resolves to whether there is more to move or remove than one check may do. */
  async #moveDue(slot: string, keys: QueueKeys, priorities: number): Promise<boolean> {
    const endsAt = performance.now() + mostDueMs;
    const move = () => moveDue(this.#connection.commands, keys, priorities);
    let moved = [await move()];
    for (;;) {
      if (moved.some(({ hasDied }) => hasDied)) this.#carry(slot);
      if (!moved.some(({ mayHaveMore }) => mayHaveMore)) return false;
      if (performance.now() >= endsAt) return true;
      // Redis works on one while the answer of the other is read.
      moved = await Promise.all([move(), move()]);
    }
  }
}

/** How long a queue needs no further check. */
function restOf(needs: QueueNeeds, messageTtlMs: number | undefined): number {
  if (needs.isConsumed) return consumedMs;
  if (needs.hasEnded || needs.hasDue || messageTtlMs !== undefined) return soonMs;
  return Math.max(soonMs, Math.min(calmMs, needs.expiresInMs ?? calmMs));
}
