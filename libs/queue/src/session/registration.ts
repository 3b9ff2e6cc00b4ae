import { randomBytes } from 'node:crypto';
import { OptionsError, pause, TopologyNotFoundError } from '@millrace/core';
import { callError, type RedisConnection } from '@millrace/redis';
import type { QueueSettings } from '../model/queue-settings.js';
import { type ConsumerKeys, consumerKeys } from '../store/consumer-keys.js';
import { endRegistration } from '../store/departure.js';
import { queueKeys } from '../store/keys.js';
import { readSlotSettings } from '../store/queue-slot.js';
import { type Registered, registerConsumer } from '../store/registration.js';
import { ownerOf } from '../topology/connection-owner.js';
import type { Introduction } from './introduction.js';
import type { SessionOptions } from './session-options.js';

export interface RegistrationListener {
  registered(keys: ConsumerKeys): void;
  /** The queue may have been deleted and declared again with other shards: resolves to whether this shard is over. */
  followQueue(): Promise<boolean>;
  failed(error: unknown): void;
}

/** What must be known of a registration to end it. */
type Ended = Pick<ConsumerKeys, 'prefix' | 'queue' | 'priorities' | 'consumer'>;

/** Each object stands for one stay in a state: an attempt that ends in another state than it began in was overtaken. */
type RegistrationState =
  | { readonly kind: 'none' }
  | { readonly kind: 'registering' }
  | { readonly kind: 'registered'; readonly keys: ConsumerKeys }
  | { readonly kind: 'closing'; readonly keys: ConsumerKeys }
  | { readonly kind: 'closed' };

/**
 * A consumer's registration with one shard: the id under which it holds messages.
 *
 *     none ──register──▶ registering ──Redis has it──▶ registered ──close──▶ closing ──leave, lost──▶ closed
 *       ▲                 │  │    ▲                        │
 *       └─start failed────┘  │    └──────────lost──────────┘
 *                            └──close──▶ closed
 *
 * After `lost` it registers again, with attempts until one succeeds. From `closing` on it does not register again; the
 * present registration is still used to settle what is held.
 */
export class Registration {
  readonly #connection: RedisConnection;
  readonly #options: SessionOptions;
  readonly #shard: string;
  readonly #introduction: Pick<Introduction, 'whole'>;
  readonly #listener: RegistrationListener;
  #state: RegistrationState = { kind: 'none' };
  #settings: QueueSettings | undefined;

  constructor(
    connection: RedisConnection,
    options: SessionOptions,
    shard: string,
    introduction: Pick<Introduction, 'whole'>,
    listener: RegistrationListener,
  ) {
    this.#connection = connection;
    this.#options = options;
    this.#shard = shard;
    this.#introduction = introduction;
    this.#listener = listener;
  }

  /** Undefined while there is no registration. */
  get keys(): ConsumerKeys | undefined {
    return 'keys' in this.#state ? this.#state.keys : undefined;
  }

  /** The queue's settings as they were at the last registration. */
  get settings(): QueueSettings | undefined {
    return this.#settings;
  }

  /**
   * May be called again after a failure.
   *
   * @throws {TopologyNotFoundError} there is no such queue
   * @throws {OptionsError} the queue belongs to another connection
   * @throws {DamagedStateError} its stored settings are damaged
   * @throws {UnavailableError} Redis does not reply
   */
  async register(): Promise<void> {
    if (this.#state.kind !== 'none') return;
    const attempt = this.#enter({ kind: 'registering' });
    try {
      await this.#register(attempt);
    } catch (error) {
      if (this.#state === attempt) this.#enter({ kind: 'none' });
      throw error;
    }
  }

  /** Redis no longer has the registration. Returns false when that was known already. */
  lost(): boolean {
    if (this.keys === undefined) return false;
    this.#enter({ kind: this.#state.kind === 'closing' ? 'closed' : 'registering' });
    return true;
  }

  /** Registers after a loss, trying until it succeeds; after an outage as soon as Redis is back. */
  async registerAgain(): Promise<void> {
    const attempt = this.#state;
    if (attempt.kind !== 'registering') return;
    for (let failures = 0; this.#state === attempt; failures++) {
      try {
        await this.#connection.whenReady(this.#connection.options.connectTimeoutMs);
        if (this.#state === attempt) await this.#register(attempt);
      } catch (error) {
        this.#listener.failed(error);
        const isGone = error instanceof TopologyNotFoundError;
        if (isGone && (await this.#listener.followQueue().catch(() => false))) return;
        await pause(Math.min(50 * 2 ** failures, 1000), { ref: false });
      }
    }
    if (this.keys !== undefined) await this.#listener.followQueue().catch((error) => this.#listener.failed(error));
  }

  /** Does not register again from now on. */
  close(): void {
    if (this.#state.kind === 'registered') this.#enter({ kind: 'closing', keys: this.#state.keys });
    else if (this.#state.kind !== 'closing') this.#enter({ kind: 'closed' });
  }

  /** Ends the registration; what is still held is given back as if it had never been taken. */
  async leave(): Promise<void> {
    const { keys } = this;
    this.#enter({ kind: 'closed' });
    if (keys !== undefined) await this.#end(keys);
  }

  #enter(state: RegistrationState): RegistrationState {
    this.#state = state;
    return state;
  }

  async #register(attempt: RegistrationState): Promise<void> {
    const { consumer, settings } = await this.#ask();
    const parsed = await this.#read(consumer, settings);
    const keys = consumerKeys(this.#connection.prefix, this.#shard, consumer, parsed.priorities);
    // It was closed meanwhile, and may have left before there was anything to leave.
    if (this.#state !== attempt) return this.#end(keys);
    this.#settings = parsed;
    this.#enter({ kind: 'registered', keys });
    this.#listener.registered(keys);
  }

  async #ask(): Promise<Registered> {
    const { prefix, commands } = this.#connection;
    const { queue, priority, leaseMs } = this.#options;
    const unique = randomBytes(6).toString('base64url');
    const owner = ownerOf(this.#connection);
    const failed = (error: unknown): never => {
      throw callError(`start a consumer of queue "${queue}"`, error);
    };
    const request = { priority, unique, leaseMs, owner, info: await this.#introduction.whole().catch(failed) };
    const registered = await registerConsumer(commands, { prefix, queue: this.#shard }, request).catch(failed);
    if (registered === undefined) throw new TopologyNotFoundError('queue', queue);
    if (registered === 'exclusive') {
      throw new OptionsError(`consumer of queue "${queue}"`, [
        'the queue is exclusive to the connection that declared it',
      ]);
    }
    return registered;
  }

  /** A consumer that was registered with damaged settings is ended: it holds nothing. @throws {DamagedStateError} */
  async #read(consumer: string, settings: string): Promise<QueueSettings> {
    const { prefix } = this.#connection;
    try {
      return readSlotSettings(settings, queueKeys(prefix, this.#shard), this.#shard);
    } catch (error) {
      if (consumer !== '') await this.#end({ prefix, queue: this.#shard, priorities: 1, consumer });
      throw error;
    }
  }

  async #end({ prefix, queue, priorities, consumer }: Ended): Promise<void> {
    if (!this.#connection.isUp) return;
    await endRegistration(this.#connection.commands, { prefix, queue, priorities }, consumer, 'leaves');
  }
}
