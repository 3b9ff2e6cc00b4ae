import { endsWithin } from '@millrace/core';
import type { RedisConnection } from '@millrace/redis';
import type { QueueSettings } from '../model/queue-settings.js';
import type { ConsumerKeys } from '../store/consumer-keys.js';
import type { Heartbeat } from '../store/heartbeat.js';
import { queueKeys } from '../store/keys.js';
import type { WakeUp } from '../store/wake.js';
import { HeartbeatLoop } from './heartbeat-loop.js';
import { Introduction } from './introduction.js';
import { Lease } from './lease.js';
import { PeerWatch } from './peer-watch.js';
import { Registration, type RegistrationListener } from './registration.js';
import type { SessionOptions } from './session-options.js';
import { WakeListener } from './wake-listener.js';

/** What a session needs of its consumer. */
export interface SessionContext {
  /** Whether the consumer is in `idle`. */
  isWaiting(): boolean;
  /** Whether it is in `idle` and holds nothing. */
  isAtRest(): boolean;
}

export interface SessionListener extends RegistrationListener {
  /** The registration is gone, and with it all messages held; a new one is being made. */
  lost(): void;
  woken(wakeUp: WakeUp): void;
  beaten(heartbeat: Heartbeat): void;
}

/**
 * A consumer's session with one shard of its queue: its registration, the lease that heartbeats and turns renew, and the wake list
 * on which it waits. A registration that is lost is made again, until `close`.
 */
export class ShardSession {
  readonly #listener: SessionListener;
  readonly #lease: Lease;
  readonly #registration: Registration;
  readonly #heartbeats: HeartbeatLoop;
  readonly #wake: WakeListener;

  /** @param shard name of the shard's own queue */
  constructor(
    connection: RedisConnection,
    options: SessionOptions,
    shard: string,
    context: SessionContext,
    listener: SessionListener,
  ) {
    const keys = queueKeys(connection.prefix, shard);
    this.#listener = listener;
    this.#wake = new WakeListener(connection, keys.wake, (wakeUp) => listener.woken(wakeUp));
    this.#lease = new Lease(options.leaseMs);
    const introduction = new Introduction(connection, keys.state, options, () => this.#wake.client);
    this.#registration = new Registration(connection, options, shard, introduction, {
      registered: (registered) => {
        listener.registered(registered);
        this.#heartbeats.now();
      },
      followQueue: () => listener.followQueue(),
      failed: (error) => listener.failed(error),
    });
    this.#heartbeats = new HeartbeatLoop(
      connection,
      {
        registration: this.#registration,
        lease: this.#lease,
        introduction,
        peers: new PeerWatch(connection, (error) => listener.failed(error)),
        isWaiting: () => context.isWaiting(),
        isAtRest: () => context.isAtRest(),
      },
      {
        beaten: (heartbeat) => listener.beaten(heartbeat),
        lost: () => this.lost(),
        failed: (error) => listener.failed(error),
      },
    );
  }

  /** Undefined while there is no registration. */
  get keys(): ConsumerKeys | undefined {
    return this.#registration.keys;
  }

  /** The queue's settings as they were at the last registration. */
  get settings(): QueueSettings | undefined {
    return this.#registration.settings;
  }

  /** Whether the lease cannot have expired. */
  get isLeaseCertain(): boolean {
    return this.#lease.isCertain;
  }

  /**
   * May be called again after a failure.
   *
   * @param name of the connection on which it waits
   */
  async start(name: string): Promise<void> {
    await this.#wake.begin(name, () => this.#heartbeats.connectionChanged());
    await this.#registration.register();
    await this.#heartbeats.begin();
  }

  /** A turn sent at `sentAt` has renewed the lease, and has seen whether the queue has other consumers. */
  turned(isAlone: boolean, sentAt: number): void {
    if (!isAlone) this.#heartbeats.stayAwake();
    this.#lease.renewed(sentAt);
  }

  /** There may be upkeep: heartbeats do not rest until a peer does it. */
  stayAwake(): void {
    this.#heartbeats.stayAwake();
  }

  /** Waits for one wake-up. */
  waitForWakeUp(afterMs: number): void {
    this.#wake.wait(afterMs);
  }

  /** Redis no longer has the registration. */
  lost(): void {
    if (!this.#registration.lost()) return;
    this.#listener.lost();
    void this.#registration.registerAgain();
  }

  /** Ignores wake-ups and does not register again; the present registration is still used to settle. */
  close(): void {
    this.#registration.close();
    this.#wake.end();
  }

  /** Ends the registration and its heartbeats, by the deadline at the latest. */
  async leave(leftMs: () => number): Promise<void> {
    const left = this.#registration.leave().catch((error: unknown) => this.#listener.failed(error));
    await endsWithin(left, leftMs(), { ref: false });
    await endsWithin(this.#heartbeats.end(), leftMs(), { ref: false });
  }
}
