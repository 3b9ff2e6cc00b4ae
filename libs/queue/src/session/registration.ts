import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { OptionsError, pause, TopologyNotFoundError } from '@millrace/core';
import { asOutage, type RedisConnection } from '@millrace/redis';
import type { ConsumerOptions } from '../consumer/consumer-options.js';
import type { QueueSettings } from '../model/queue-settings.js';
import { type ConsumerKeys, consumerKeys } from '../store/consumer-keys.js';
import { endRegistration } from '../store/departure.js';
import { type ConsumerInfo, registerConsumer } from '../store/registration.js';
import { ownerOf } from '../topology/connection-owner.js';

/** Hears of registrations. */
export interface RegistrationListener {
  joined(keys: ConsumerKeys): void;
  failed(error: unknown): void;
  /** The queue may have been deleted and declared again with other slots: resolves to whether it is elsewhere now. */
  follow(): Promise<boolean>;
}

/** A consumer's registration with its queue: the id under which it holds messages, until it leaves or loses its lease. */
export class Registration {
  readonly #connection: RedisConnection;
  readonly #options: ConsumerOptions;
  /** Of the queue. */
  readonly #slot: string;
  readonly #user: RegistrationListener;
  readonly #introduce: () => Promise<string>;
  readonly #leaving = new AbortController();
  #keys: ConsumerKeys | undefined;
  #settings: QueueSettings | undefined;
  #isJoining = false;

  /** @param introduce resolves to who this is, as JSON: also by which connections its death will be noticed, from its first message on */
  constructor(
    connection: RedisConnection,
    options: ConsumerOptions,
    slot: string,
    user: RegistrationListener,
    introduce: () => Promise<string>,
  ) {
    this.#introduce = introduce;
    this.#connection = connection;
    this.#options = options;
    this.#slot = slot;
    this.#user = user;
  }

  /** Undefined while there is no registration. */
  get keys(): ConsumerKeys | undefined {
    return this.#keys;
  }

  /** The queue's settings as they were at registration. */
  get settings(): QueueSettings | undefined {
    return this.#settings;
  }

  /** What operators and colleagues may know of the consumer. */
  about(connections: readonly number[], server: string): ConsumerInfo {
    const { concurrency, prefetch, name, queue } = this.#options;
    const where = { name: name ?? queue, host: hostname(), pid: process.pid };
    return { ...where, concurrency, prefetch: prefetch ?? concurrency, connections, server };
  }

  /** @throws {TopologyNotFoundError} there is no such queue @throws {OptionsError} it belongs to another connection @throws {UnavailableError} */
  async join(): Promise<void> {
    const { prefix, commands } = this.#connection;
    const { queue, priority, leaseMs } = this.#options;
    const unique = randomBytes(6).toString('base64url');
    const owner = ownerOf(this.#connection);
    const failed = (error: unknown): never => {
      throw asOutage(`start a consumer of queue "${queue}"`, error);
    };
    const request = { priority, unique, leaseMs, owner, info: await this.#introduce().catch(failed) };
    const registered = await registerConsumer(commands, { prefix, queue: this.#slot }, request).catch(failed);
    if (registered === undefined) throw new TopologyNotFoundError('queue', queue);
    if (registered === 'exclusive') {
      throw new OptionsError(`consumer of queue "${queue}"`, [
        'the queue is exclusive to the connection that declared it',
      ]);
    }
    this.#settings = JSON.parse(registered.settings) as QueueSettings;
    this.#keys = consumerKeys(prefix, this.#slot, registered.consumer, this.#settings.priorities);
    // It was closed meanwhile, and may have left before there was anything to leave.
    if (this.#leaving.signal.aborted) await this.leave();
    else this.#user.joined(this.#keys);
  }

  /** The registration is gone. Returns false when that was known already. */
  lost(): boolean {
    if (this.#keys === undefined) return false;
    this.#keys = undefined;
    return true;
  }

  /** Joins again, trying for as long as it takes; after an outage as soon as Redis is back. */
  async rejoin(): Promise<void> {
    if (this.#isJoining) return;
    this.#isJoining = true;
    for (let failures = 0; this.#keys === undefined && !this.#leaving.signal.aborted; failures++) {
      try {
        await this.#connection.whenReady(this.#connection.options.connectTimeoutMs);
        if (!this.#leaving.signal.aborted) await this.join();
        if (!this.#leaving.signal.aborted) await this.#user.follow();
      } catch (error) {
        this.#user.failed(error);
        const isGone = error instanceof TopologyNotFoundError;
        if (isGone && (await this.#user.follow().catch(() => false))) break;
        await pause(Math.min(50 * 2 ** failures, 1000), { ref: false });
      }
    }
    this.#isJoining = false;
  }

  /** No registration is made from here on. */
  close(): void {
    this.#leaving.abort();
  }

  /** Ends the registration; what is still held goes back as if it had never been taken. */
  async leave(): Promise<void> {
    const keys = this.#keys;
    this.#keys = undefined;
    if (keys === undefined || !this.#connection.isUp) return;
    const place = { prefix: keys.prefix, queue: keys.queue, priorities: keys.ready.length };
    await endRegistration(this.#connection.commands, place, keys.consumer, 'leaves');
  }
}
