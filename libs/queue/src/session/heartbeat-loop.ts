import { PollLoop } from '@millrace/delivery';
import type { RedisConnection } from '@millrace/redis';
import { beat, type Heartbeat } from '../store/heartbeat.js';
import type { Introduction } from './introduction.js';
import type { Lease } from './lease.js';
import type { PeerWatch } from './peer-watch.js';
import type { Registration } from './registration.js';

/**
 * How often a consumer beats; one that waits, holds nothing and is the only one of its queue only when its lease needs it: its
 * turns renew that too, and there is no peer whose death it has to notice.
 */
const beatMs = 1000;
/** The longest rest: changes that wake no consumer are noticed by then. */
const longestRestMs = 10_000;
/** The loops of a process beat in step, so that the heartbeats of many share a write. */
const stepMs = 25;

/** What a heartbeat is made of. */
export interface HeartbeatContext {
  readonly registration: Pick<Registration, 'keys'>;
  readonly lease: Lease;
  readonly introduction: Introduction;
  readonly peers: PeerWatch;
  /** Whether the consumer stands in `idle`. */
  isWaiting(): boolean;
  /** Whether it waits and holds nothing. */
  isAtRest(): boolean;
}

export interface HeartbeatListener {
  beaten(heartbeat: Heartbeat): void;
  /** Redis has no such registration any more. */
  lost(): void;
  failed(error: unknown): void;
}

/**
 * Renews a consumer's lease, whatever its handlers do, and does its share of looking after its peers, when it is the one on duty.
 */
export class HeartbeatLoop {
  readonly #connection: RedisConnection;
  readonly #context: HeartbeatContext;
  readonly #listener: HeartbeatListener;
  readonly #restMs: number;
  readonly #loop: PollLoop;
  /** As of the last beat there was no peer whose death it would have to notice, nor anything else to look after. */
  #wasCalm = false;

  constructor(connection: RedisConnection, context: HeartbeatContext, listener: HeartbeatListener) {
    this.#connection = connection;
    this.#context = context;
    this.#listener = listener;
    this.#restMs = Math.min(longestRestMs, context.lease.lengthMs / 3);
    this.#loop = new PollLoop(
      async () => untilStep(await this.#beat()),
      (error) => {
        // Redis may not have heard who this is.
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

  /** Beats now. */
  now(): void {
    this.stayAwake();
    this.#loop.wake();
  }

  /** There is something to look after: the next beats see whether a peer does. */
  stayAwake(): void {
    this.#wasCalm = false;
  }

  /** A connection is a new one: what Redis has about it is stale. */
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
    // There may be something to look after before Redis answers.
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
    // Timers are late by some ms: what is nearer to this beat than to the next is this one.
    return this.#context.lease.ageMs < this.#restMs - restMs / 2;
  }
}

/** Nothing to do, and no peer to look after. */
function mayRest({ hasWork, held, duty }: Heartbeat): boolean {
  if (hasWork || held > 0 || duty === undefined) return false;
  return duty.colleagues.length === 0 && duty.dead.length === 0 && duty.ended === 0;
}

/** Up to `ms`: until the last step before that. */
function untilStep(ms: number): number {
  const now = performance.now();
  return ms < stepMs ? ms : Math.ceil(Math.floor((now + ms) / stepMs) * stepMs - now);
}
