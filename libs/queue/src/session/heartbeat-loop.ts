import { PollLoop } from '@millrace/delivery';
import type { RedisConnection } from '@millrace/redis';
import { beat, type Heartbeat } from '../store/heartbeat.js';
import type { Introduction } from './introduction.js';
import type { Lease } from './lease.js';
import type { PeerWatch } from './peer-watch.js';
import type { Registration } from './registration.js';

/**
 * How often a consumer sends heartbeats; one that waits, holds nothing and is alone at its queue only when its lease needs it: its
 * turns renew the lease too, and there is no peer whose death it has to notice.
 */
const beatMs = 1000;
/** The longest rest: changes that wake no consumer are noticed after this time at the latest. */
const longestRestMs = 10_000;
/** The heartbeats of a process are aligned to steps, so that many of them share a write. */
const stepMs = 25;

/** What a heartbeat needs of its consumer. */
export interface HeartbeatContext {
  readonly registration: Pick<Registration, 'keys'>;
  readonly lease: Lease;
  readonly introduction: Introduction;
  readonly peers: PeerWatch;
  /** Whether the consumer is in `idle`. */
  isWaiting(): boolean;
  /** Whether it is in `idle` and holds nothing. */
  isAtRest(): boolean;
}

export interface HeartbeatListener {
  beaten(heartbeat: Heartbeat): void;
  /** Redis no longer has the registration. */
  lost(): void;
  failed(error: unknown): void;
}

/**
 * Renews a consumer's lease, whatever its handlers do, and takes its turn in watching its peers, when it is on duty.
 */
export class HeartbeatLoop {
  readonly #connection: RedisConnection;
  readonly #context: HeartbeatContext;
  readonly #listener: HeartbeatListener;
  readonly #restMs: number;
  readonly #loop: PollLoop;
  /** At the last heartbeat there was no peer whose death it would have to notice, nor other upkeep. */
  #wasCalm = false;

  constructor(connection: RedisConnection, context: HeartbeatContext, listener: HeartbeatListener) {
    this.#connection = connection;
    this.#context = context;
    this.#listener = listener;
    this.#restMs = Math.min(longestRestMs, context.lease.lengthMs / 3);
    this.#loop = new PollLoop(
      async () => untilStep(await this.#beat()),
      (error) => {
        // Redis may not have its introduction.
        context.introduction.outdate();
        listener.failed(error);
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

  /** Sends a heartbeat immediately. */
  now(): void {
    this.stayAwake();
    this.#loop.wake();
  }

  /** There may be upkeep: the next heartbeats check whether a peer does it. */
  stayAwake(): void {
    this.#wasCalm = false;
  }

  /** A connection is a new one: the introduction in Redis is stale. */
  connectionChanged(): void {
    this.#context.introduction.outdate();
    this.#loop.wake();
  }

  readonly #reconnected = (): void => {
    this.#context.lease.forget();
    this.#context.peers.connected(performance.now());
    this.connectionChanged();
  };

  async #beat(): Promise<number> {
    const { lease, introduction, registration, peers } = this.#context;
    const restMs = Math.min(beatMs, Math.floor(lease.lengthMs / 3));
    const { keys } = registration;
    if (keys === undefined || !this.#connection.isUp || this.#mayRest(restMs)) return restMs;
    const info = await introduction.change();
    const sentAt = performance.now();
    // There may be upkeep before Redis replies.
    this.#wasCalm = true;
    const state = { leaseMs: lease.lengthMs, isWaiting: this.#context.isWaiting(), info };
    const heartbeat = await beat(this.#connection.commands, keys, state);
    if (registration.keys !== keys) return 0;
    if (heartbeat === undefined) {
      this.#listener.lost();
      return restMs;
    }
    introduction.arrived(info);
    lease.renewed(sentAt);
    if (!mayRest(heartbeat)) this.stayAwake();
    this.#listener.beaten(heartbeat);
    if (heartbeat.duty !== undefined) peers.attend(keys, introduction, heartbeat.duty);
    return restMs;
  }

  #mayRest(restMs: number): boolean {
    if (!this.#wasCalm || this.#context.introduction.isStale || !this.#context.isAtRest()) return false;
    // Timers are late by some ms: a step that is nearer to this heartbeat than to the next counts as this one.
    return this.#context.lease.ageMs < this.#restMs - restMs / 2;
  }
}

/** There is nothing to do, and no peer to watch. */
function mayRest({ hasWork, held, duty }: Heartbeat): boolean {
  if (hasWork || held > 0 || duty === undefined) return false;
  return duty.colleagues.length === 0 && duty.dead.length === 0 && duty.ended === 0;
}

/** At most `ms`: until the last step before that. */
function untilStep(ms: number): number {
  const now = performance.now();
  return ms < stepMs ? ms : Math.ceil(Math.floor((now + ms) / stepMs) * stepMs - now);
}
