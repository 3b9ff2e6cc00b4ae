import { ClosedError, startTimer, stopTimer, type Timer, type WriteFailure } from '@millrace/core';
import type { FirstUse } from '@millrace/delivery';
import type { RedisConnection } from '@millrace/redis';
import type { BrokerOptions } from '../broker-options.js';
import type { TopologyCache } from '../topology/topology-cache.js';
import { InFlightWindow } from './in-flight-window.js';
import type { Publication } from './publication.js';
import { PublicationRouting } from './publication-routing.js';
import type { TopicFeed } from './topic-feed.js';

/** Takes messages as long as there is room for them, and has them routed. */
export class Publisher {
  readonly #connection: RedisConnection;
  readonly #cache: TopologyCache;
  readonly #options: BrokerOptions;
  readonly #window: InFlightWindow;
  readonly #routing: PublicationRouting;
  /** What must be done before the first message is routed; undefined: nothing, or it is done. */
  firstUse: FirstUse | undefined;
  #isClosed = false;
  #isAbandoned = false;
  #isGivenUp = false;
  #giveUp: Timer | undefined;

  constructor(connection: RedisConnection, cache: TopologyCache, options: BrokerOptions) {
    this.#connection = connection;
    this.#cache = cache;
    this.#options = options;
    this.#window = new InFlightWindow(options);
    this.#routing = new PublicationRouting(connection, cache, options);
  }

  get events(): BrokerOptions['events'] {
    return this.#options.events;
  }

  /** Until when a message waits that is passed now, by the monotonic clock. */
  get deadlineMs(): number {
    return performance.now() + this.#options.deliveryTimeoutMs;
  }

  get topics(): TopicFeed {
    return this.#routing.topics;
  }

  /** Called when a publish made a message of this slot a dead letter. */
  set onDied(onDied: (slot: string) => void) {
    this.#routing.onDied = onDied;
  }

  /**
   * Sends a message; its listener gets the result. Returns a promise only when the caller must wait before it
   * sends the next: the window is full, or the topology is not known yet.
   */
  send(publication: Publication): Promise<void> | undefined {
    if (this.#isClosed) return Promise.reject(this.#closedError());
    const { known } = this.#cache;
    if (known === undefined || this.firstUse !== undefined || !this.#window.hasRoom())
      return this.#sendLater(publication);
    this.#window.enter(publication);
    this.#routing.routeBy(known, publication);
    return undefined;
  }

  /** Its connection was closed: nothing more is sent, and nothing more is confirmed. */
  abandon(): void {
    this.#isClosed = true;
    this.#isAbandoned = true;
    this.#window.giveUp('unavailable', 'the connection to Redis was closed before it was confirmed');
  }

  /** From then on nothing waits for a confirmation: what has none fails, also what a closing Broker would still send. */
  giveUpIn(deadlineMs = Number.POSITIVE_INFINITY): void {
    const giveUp = (): void => {
      this.#isGivenUp = true;
      this.#window.giveUp(...this.#reasonGivenUp());
    };
    stopTimer(this.#giveUp);
    this.#giveUp = startTimer(giveUp, deadlineMs);
  }

  /** Accepts no more messages, and waits until each has its receipt or error. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#window.drained();
    stopTimer(this.#giveUp);
    this.#routing.close();
  }

  async #sendLater(publication: Publication): Promise<void> {
    if (this.firstUse !== undefined) {
      if (!(await this.#isPrepared(this.firstUse, publication))) return;
      this.firstUse = undefined;
    }
    if (!(await this.#window.room(publication.deadlineMs - performance.now()))) {
      publication.giveUp(
        'timeout',
        `${this.#window.count} messages wait for their receipts, and none was confirmed in time`,
      );
      return;
    }
    if (this.#isAbandoned) {
      publication.fail(this.#closedError());
      return;
    }
    if (this.#isGivenUp) {
      publication.giveUp(...this.#reasonGivenUp());
      return;
    }
    this.#window.enter(publication);
    await this.#routing.route(publication);
  }

  /** Waits for what must be done before the first message is routed. False: it timed out, and the message has failed. */
  async #isPrepared(firstUse: FirstUse, publication: Publication): Promise<boolean> {
    if (await firstUse.done(publication.deadlineMs - performance.now())) return true;
    if (this.#connection.isUp)
      publication.giveUp('timeout', 'what must be declared before the first message was not declared in time');
    else publication.giveUp('unavailable', `Redis is away: ${this.#connection.downReason}`);
    return false;
  }

  #reasonGivenUp(): [failure: WriteFailure, description: string] {
    const failure = this.#connection.isUp ? 'timeout' : 'unavailable';
    return [failure, 'the broker was closed before it was confirmed'];
  }

  #closedError(): ClosedError {
    return new ClosedError(this.#isAbandoned ? 'the connection to Redis' : 'the broker');
  }
}
