import { randomUUID } from 'node:crypto';
import { Overview, type Snapshot } from '@millrace/admin';
import { within } from '@millrace/core';
import { type Events, PollLoop, type Service } from '@millrace/delivery';
import { Cluster, type RedisConnection } from '@millrace/redis';
import { GroupWindows } from './group-windows.js';
import { holdElection, leaveElection } from './store/election.js';

/** The result of a scrape for the whole prefix. */
export type Sample =
  /** This process reads for all. */
  | { readonly kind: 'elected'; readonly snapshot: Snapshot; readonly windows: GroupWindows; readonly masters: number }
  /** Another process reads for all. */
  | { readonly kind: 'standby' }
  /** Redis replies, but the reading did not end in time. */
  | { readonly kind: 'late' }
  /** Redis did not reply in time. */
  | { readonly kind: 'away' };

export interface SamplerOptions {
  readonly sampleIntervalMs: number;
  readonly leaseMs: number;
  readonly scrapeTimeoutMs: number;
  readonly idleAfterMs: number;
}

/**
 * Reads lag and depth of the whole prefix, in one process at a time: the one that holds a lease in Redis. Only a scraped process takes
 * the lease, since otherwise the figures would be collected nowhere. Each scrape reads again; between scrapes the process keeps the
 * lease, and reads often enough to judge the progress of groups.
 */
export class Sampler implements Service {
  readonly #connection: RedisConnection;
  readonly #options: SamplerOptions;
  readonly #events: Events;
  readonly #overview: Overview;
  readonly #windows: GroupWindows;
  readonly #loop: PollLoop;
  readonly #id = randomUUID();
  #scrapedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<Sample> | undefined;
  #isAnswering = false;

  constructor(connection: RedisConnection, events: Events, options: SamplerOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#events = events;
    this.#overview = new Overview(connection);
    this.#windows = new GroupWindows(options.sampleIntervalMs);
    this.#loop = new PollLoop(
      () => this.#poll(),
      (error) => events.emit('background-error', { duty: 'metrics sampler', error }),
    );
  }

  start(): Promise<void> {
    return this.#loop.start();
  }

  /** Leaves the reading to the next scraped process. */
  async stop(): Promise<void> {
    await this.#loop.stop();
    if (!this.#connection.isUp) return;
    await leaveElection(this.#connection.commands, this.#connection.prefix, this.#id).catch(() => undefined);
  }

  /** For a scrape: resolves in `scrapeTimeoutMs` at the latest. Simultaneous calls share one read. */
  async sample(): Promise<Sample> {
    this.#scrapedAt = performance.now();
    const look = this.#look().catch((): Sample => ({ kind: 'away' }));
    const sample = await within(look, this.#options.scrapeTimeoutMs);
    if (sample !== undefined) return sample;
    if (!this.#isAnswering) return { kind: 'away' };
    this.#reportLate();
    return { kind: 'late' };
  }

  /** Without it, a scrape without topics and queues would look like one of a prefix that has none. */
  #reportLate(): void {
    const { scrapeTimeoutMs } = this.#options;
    const error = new Error(
      `reading all topics, groups and queues took longer than scrapeTimeoutMs (${scrapeTimeoutMs} ms): this scrape has no series of them. Raise scrapeTimeoutMs, and Prometheus' scrape_timeout above it.`,
    );
    this.#events.emit('background-error', { duty: 'metrics scrape', error });
  }

  async #poll(): Promise<number> {
    const isScraped = performance.now() - this.#scrapedAt < this.#options.idleAfterMs;
    if (isScraped && this.#connection.isUp) await this.#look();
    return this.#options.sampleIntervalMs;
  }

  #look(): Promise<Sample> {
    this.#looking ??= this.#lookNow().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookNow(): Promise<Sample> {
    const { commands, prefix } = this.#connection;
    this.#isAnswering = false;
    const isElected = await holdElection(commands, prefix, this.#id, this.#options.leaseMs);
    this.#isAnswering = true;
    if (!isElected) return { kind: 'standby' };
    const snapshot = await this.#overview.read();
    this.#windows.observe(snapshot);
    const masters = commands instanceof Cluster ? commands.nodes('master').length : 1;
    return { kind: 'elected', snapshot, windows: this.#windows, masters };
  }
}
