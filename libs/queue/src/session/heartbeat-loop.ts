import { PollLoop } from '@millrace/delivery';
import { connectionIdentity, type RedisClient, type RedisConnection } from '@millrace/redis';
import type { ConsumerKeys } from '../store/consumer-keys.js';
import { endRegistration } from '../store/departure.js';
import { beat, type Heartbeat } from '../store/heartbeat.js';
import { queueKeys } from '../store/keys.js';
import { PeerWatch } from './peer-watch.js';

/**
 * How often a consumer beats; one that waits, holds nothing and is the only one of its queue only when its lease needs it: its
 * turns renew that too, and there is no other consumer whose death it has to notice.
 */
const beatMs = 1000;
/** The longest rest: changes that wake no consumer are noticed by then. */
const longestRestMs = 10_000;
/** The hearts of a process beat in step, so that the beats of many share a write. */
const stepMs = 25;

/** Whom a heart beats for. */
export interface HeartbeatContext {
  /** The present registration, or undefined while there is none: then nothing beats. */
  keys(): ConsumerKeys | undefined;
  /** What Redis keeps about the consumer, as JSON. */
  describe(connections: readonly number[], server: string): string;
  /** It stands in `idle`. */
  isWaiting(): boolean;
  /** It waits and holds nothing. */
  isAtRest(): boolean;
  wakeClient(): RedisClient | undefined;
  beaten(heartbeat: Heartbeat): void;
  lostLease(): void;
  failed(error: unknown): void;
}

/**
 * Keeps a consumer's lease, whatever its handlers do, and does its share of looking after the others: dead consumers'
 * messages are given back by the one that is on duty.
 */
export class HeartbeatLoop {
  readonly #connection: RedisConnection;
  readonly #user: HeartbeatContext;
  readonly #leaseMs: number;
  readonly #restMs: number;
  readonly #loop: PollLoop;
  readonly #watch: PeerWatch;
  /** Any key of the queue: it tells which server of a cluster is meant. */
  readonly #key: string;
  #info = '';
  #server = '';
  #isStale = true;
  #isWatching = false;
  /** There is no other consumer whose death it would have to notice, nor anything else to look after. */
  #isCarefree = false;
  /** When the last beat or turn was sent that renewed the lease. */
  #renewedAt = Number.NEGATIVE_INFINITY;

  constructor(
    connection: RedisConnection,
    options: { readonly queue: string; readonly leaseMs: number },
    user: HeartbeatContext,
  ) {
    this.#connection = connection;
    this.#user = user;
    this.#leaseMs = options.leaseMs;
    this.#restMs = Math.min(longestRestMs, options.leaseMs / 3);
    this.#key = queueKeys(connection.prefix, options.queue).meta;
    this.#watch = new PeerWatch(connection);
    this.#loop = new PollLoop(
      async () => untilStep(await this.#beat()),
      (error) => {
        // Redis may not have heard who this is.
        this.#isStale = true;
        user.failed(error);
      },
    );
  }

  async begin(): Promise<void> {
    this.#connection.on('up', this.#reconnected);
    await this.#loop.start();
  }

  async end(): Promise<void> {
    this.#connection.off('up', this.#reconnected);
    await this.#loop.stop();
  }

  /** Beats now. */
  now(): void {
    this.worry();
    this.#loop.wake();
  }

  /** Whether the lease cannot have run out: a process that stood still cannot know. */
  get isCertain(): boolean {
    return performance.now() < this.#renewedAt + this.#leaseMs;
  }

  /** There is something to look after: the next beats see whether another consumer does. */
  worry(): void {
    this.#isCarefree = false;
  }

  /** A turn that was sent then renewed the lease, as a beat does; and saw whether there are other consumers to look after. */
  renewed(isAlone: boolean, sentAt: number): void {
    if (!isAlone) this.worry();
    this.#renewedAt = sentAt;
  }

  /** What a new registration says of its owner. */
  async introduce(): Promise<string> {
    this.#info = await this.#describe();
    return this.#info;
  }

  /** A connection is a new one: what Redis has about it is stale. */
  readonly #reconnected = (): void => {
    this.#isStale = true;
    this.#renewedAt = Number.NEGATIVE_INFINITY;
    this.#watch.connected(performance.now());
    this.#loop.wake();
  };

  connectionChanged(): void {
    this.#isStale = true;
    this.#loop.wake();
  }

  async #beat(): Promise<number> {
    const restMs = Math.min(beatMs, Math.floor(this.#leaseMs / 3));
    const keys = this.#user.keys();
    if (keys === undefined || !this.#connection.isUp || this.#mayRest(restMs)) return restMs;
    const info = this.#isStale ? await this.#describe() : this.#info;
    const sentAt = performance.now();
    // It may have to worry while Redis answers.
    this.#isCarefree = true;
    const heartbeat = await beat(this.#connection.commands, keys, {
      leaseMs: this.#leaseMs,
      isWaiting: this.#user.isWaiting(),
      info: info === this.#info ? '' : info,
    });
    if (this.#user.keys() !== keys) return 0;
    if (heartbeat === undefined) {
      this.#user.lostLease();
      return restMs;
    }
    this.#info = info;
    this.#renewedAt = sentAt;
    if (!isCalm(heartbeat)) this.worry();
    this.#user.beaten(heartbeat);
    if (heartbeat.duty !== undefined) this.#attend(keys, heartbeat.duty);
    return restMs;
  }

  #mayRest(restMs: number): boolean {
    if (!this.#isCarefree || this.#isStale || !this.#user.isAtRest()) return false;
    // Timers are late by some ms: what is nearer to this beat than to the next is this one.
    return performance.now() < this.#renewedAt + this.#restMs - restMs / 2;
  }

  async #describe(): Promise<string> {
    this.#isStale = false;
    const wake = this.#user.wakeClient();
    const clients = wake === undefined ? [this.#connection.commands] : [this.#connection.commands, wake];
    const ids = (await Promise.all(clients.map((client) => connectionIdentity(client, this.#key)))).filter(
      (id) => id !== undefined,
    );
    this.#server = ids[0]?.server ?? '';
    const connections = ids.filter(({ server }) => server === this.#server).map(({ id }) => id);
    return this.#user.describe(connections, this.#server);
  }

  /** Gives back what dead consumers held. Not awaited by the beat: a large pile must not cost the one on duty its own lease. */
  #attend(keys: ConsumerKeys, duty: NonNullable<Heartbeat['duty']>): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    const place = { prefix: keys.prefix, queue: keys.queue, priorities: keys.ready.length };
    const others = duty.colleagues.filter(({ consumer }) => consumer !== keys.consumer);
    const attend = async (): Promise<void> => {
      for (const consumer of duty.dead) await endRegistration(this.#connection.commands, place, consumer, 'expired');
      await this.#watch.look(place, this.#server, others, performance.now());
    };
    attend()
      .catch((error: unknown) => this.#user.failed(error))
      .finally(() => {
        this.#isWatching = false;
      });
  }
}

/** Nothing to do, and no other consumer to look after. */
function isCalm({ hasWork, held, duty }: Heartbeat): boolean {
  if (hasWork || held > 0 || duty === undefined) return false;
  return duty.colleagues.length === 0 && duty.dead.length === 0 && duty.dying === 0;
}

/** Up to `ms`: until the last step before that. */
function untilStep(ms: number): number {
  const now = performance.now();
  return ms < stepMs ? ms : Math.ceil(Math.floor((now + ms) / stepMs) * stepMs - now);
}
