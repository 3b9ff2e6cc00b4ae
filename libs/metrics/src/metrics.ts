import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '@millrace/core';
import { type Events, Lifecycle, type Service } from '@millrace/delivery';
import type { RedisConnection } from '@millrace/redis';
import type { Registry } from 'prom-client';
import { EventLoop } from './event-loop.js';
import { measureHandlers } from './handler-metrics.js';
import { kafkaExporterMetrics } from './kafka-exporter-metrics.js';
import { Listeners } from './listeners.js';
import { logMetrics } from './log-metrics.js';
import { countCommits, countMessages } from './message-metrics.js';
import { type MetricsInput, type MetricsOptions, resolveMetricsOptions } from './metrics-options.js';
import { PulledCounter, PulledGauge } from './pulled-metrics.js';
import { queueMetrics } from './queue-metrics.js';
import type { SampledFamily } from './sampled-family.js';
import { Sampler } from './sampler.js';

/** What is measured: a connection, and the events of the Log and Broker on it. */
export interface Measured {
  /** Where lag and depth are read. */
  readonly connection: RedisConnection;
  /** What counters and durations are taken from: give the same to `Log` and `Broker`. */
  readonly events: Events;
}

/**
 * Millrace's metrics in a prom-client registry. Counters and handlers are told by every process for itself; lag and depth
 * of the whole prefix by one of the processes that are scraped, so that a sum over instances counts nothing twice.
 */
export class Metrics implements Service {
  /** As they were resolved: defaults are in them. */
  readonly options: MetricsOptions;
  readonly #lifecycle = new Lifecycle();
  readonly #listeners: Listeners;
  readonly #sampler: Sampler;
  readonly #eventLoop: EventLoop;
  #stopping: Promise<void> | undefined;

  /**
   * Counting begins at once; `start()` adds what is done between scrapes.
   *
   * @throws {OptionsError} an option is wrong
   * @throws {Error} the registry has metrics of these names already: one Metrics for each registry
   */
  constructor({ connection, events }: Measured, input: MetricsInput = {}) {
    this.options = resolveMetricsOptions(input);
    const { registry, detail, durationBuckets, kafkaExporterNames } = this.options;
    this.#listeners = new Listeners(events);
    this.#sampler = new Sampler(connection, events, this.options);
    this.#tellRedisUp(registry);
    const compatible = kafkaExporterNames ? kafkaExporterMetrics : [];
    for (const family of [...logMetrics, ...queueMetrics, ...compatible]) this.#tellSampled(family, registry);
    countCommits(this.#listeners, registry);
    countMessages(this.#listeners, registry, detail);
    measureHandlers(this.#listeners, registry, durationBuckets);
    this.#eventLoop = new EventLoop(registry);
  }

  /** Where the metrics are registered. */
  get registry(): Registry {
    return this.options.registry;
  }

  /** The `Content-Type` of what the registry's `metrics()` answers. */
  get contentType(): string {
    return this.registry.contentType;
  }

  /** Begins what is done between scrapes; counting began with the constructor. */
  start(): Promise<void> {
    return this.#lifecycle.start(async () => {
      this.#eventLoop.start();
      await this.#sampler.start();
    });
  }

  /** Leaves lag and depth to another process; the metrics stay registered with their last counts. */
  stop(): Promise<void> {
    // Counting and scrapes need no start, so there is something to stop without one.
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    await this.#lifecycle.stop(async () => this.#eventLoop.stop());
    this.#listeners.removeAll();
    await this.#sampler.stop();
  }

  /** Everything in the registry as text for Prometheus. While Redis is away it answers all the same, without lag and depth. */
  scrape(): Promise<string> {
    return this.registry.metrics();
  }

  /** Answers `GET /metrics` of a plain HTTP server. Never rejects. */
  readonly handle = async (_request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      const text = await this.scrape();
      response.writeHead(200, { 'content-type': this.contentType }).end(text);
    } catch (error) {
      response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' }).end(`${messageOf(error)}\n`);
    }
  };

  #tellRedisUp(registry: Registry): void {
    const help = 'Whether Redis answered this process in time: 1 or 0.';
    new PulledGauge({ name: 'millrace_redis_up', help, labelNames: [] }, registry, async () => {
      const { kind } = await this.#sampler.sample();
      return [{ labels: {}, value: kind === 'away' ? 0 : 1 }];
    });
  }

  #tellSampled(family: SampledFamily, registry: Registry): void {
    const read = async () => {
      const sample = await this.#sampler.sample();
      return sample.kind === 'elected' ? family.read(sample, this.options.detail) : [];
    };
    if (family.type === 'counter') new PulledCounter(family, registry, read);
    else new PulledGauge(family, registry, read);
  }
}
