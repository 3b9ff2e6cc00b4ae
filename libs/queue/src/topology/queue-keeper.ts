import { type Events, PollLoop } from '@millrace/delivery';
import { type RedisConnection, redisFailure } from '@millrace/redis';
import type { QueueSettings } from '../model/queue-settings.js';
import { moveDue } from '../store/due.js';
import { keeperKey, queueKeys } from '../store/keys.js';
import { becomeKeeper, keepOwned, lookAtQueue } from '../store/queue-look.js';
import type { Declarations } from './declarations.js';
import type { TopologyCache } from './topology-cache.js';

const turnMs = 1000;
/** Who is not the keeper asks seldom: an idle Broker costs one command in five seconds. */
const candidateTurnMs = 5000;
const keeperLeaseMs = 3 * turnMs + candidateTurnMs;
/** So long a Broker may be silent before its exclusive queues go. */
const ownerSilenceMs = 3 * candidateTurnMs;
/** Looked at in one turn; with more queues than this each has its turn less often. */
const queuesATurn = 500;
const maxExpiryRounds = 20;
/** Without the right to be the keeper it asks no more often than so. */
const deniedTurnMs = 600_000;

/**
 * Looks after queues that nobody may be consuming from: ends what has expired there (a queue with a time to live and a
 * dead-letter exchange is how many delay messages), carries dead letters on, and removes queues that are idle for too long
 * or whose owner is gone. Queues with consumers have all that from them; this costs them a look.
 */
export class QueueKeeper {
  readonly #connection: RedisConnection;
  readonly #cache: TopologyCache;
  readonly #declarations: Declarations;
  readonly #carry: (queue: string) => void;
  readonly #loop: PollLoop;
  #next = 0;
  #isDenied = false;

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
    this.#loop = new PollLoop(
      () => this.#turn(),
      (error) => {
        this.#isDenied = redisFailure(error).failure === 'denied';
        events.emit('background-error', { duty: 'upkeep of queues', error });
      },
    );
  }

  /** Safe to call as often as one likes. */
  start(): void {
    void this.#loop.start().catch(() => undefined);
  }

  /** Exclusive queues go with their Broker. */
  async stop(): Promise<void> {
    await this.#loop.stop();
    const names = this.#owned(this.#cache.known?.topology.queues.values() ?? []).map(({ name }) => name);
    if (!this.#connection.isUp) return;
    await Promise.allSettled(names.map((name) => this.#declarations.deleteQueue(name)));
  }

  async #turn(): Promise<number> {
    const { commands, prefix } = this.#connection;
    if (!this.#connection.isUp) return turnMs;
    if (this.#isDenied) {
      // Another process may have the right; ours may be given it.
      this.#isDenied = false;
      return deniedTurnMs;
    }
    const { owner } = this.#declarations;
    const known = [...(this.#cache.known?.topology.queues.values() ?? [])];
    await Promise.all(this.#owned(known).map(({ name }) => keepOwned(commands, prefix, name)));
    if (!(await becomeKeeper(commands, keeperKey(prefix), owner, keeperLeaseMs))) return candidateTurnMs;
    const queues = [...(await this.#cache.reload()).topology.queues.values()];
    if (this.#next >= queues.length) this.#next = 0;
    const some = queues.slice(this.#next, this.#next + queuesATurn);
    this.#next += some.length;
    await Promise.all(some.map((queue) => this.#lookAfter(queue)));
    return turnMs;
  }

  #owned(queues: Iterable<QueueSettings>): QueueSettings[] {
    return [...queues].filter(({ owner }) => owner === this.#declarations.owner);
  }

  async #lookAfter({ name, priorities }: QueueSettings): Promise<void> {
    const { commands, prefix } = this.#connection;
    const keys = queueKeys(prefix, name);
    const needs = await lookAtQueue(commands, keys, ownerSilenceMs);
    if (needs.isOwnerGone) await this.#declarations.deleteQueue(name);
    else if (needs.isIdleTooLong) await this.#declarations.deleteQueue(name, { ifIdle: true });
    else if (needs.hasExpired) {
      for (let round = 0; round < maxExpiryRounds && (await moveDue(commands, keys, priorities)); round++);
    }
    if (needs.hasDying || needs.hasExpired) this.#carry(name);
  }
}
