import type { IncomingMessage, ServerResponse } from 'node:http';
import { assertNoProblem, messageOf, OptionsError, shown } from '@millrace/core';
import { type Events, Lifecycle, type Service } from '@millrace/delivery';
import type { RedisConnection } from '@millrace/redis';
import type { Registry } from 'prom-client';
import { boundedSeries } from './bounded-series.js';
import { EventLoop } from './event-loop.js';
import { GoneSources } from './gone-sources.js';
import { measureHandlers } from './handler-metrics.js';
import { kafkaExporterMetrics } from './kafka-exporter-metrics.js';
import { Listeners } from './listeners.js';
import { logMetrics } from './log-metrics.js';
import { countCommits, countMessages } from './message-metrics.js';
import { type MetricsInput, type MetricsOptions, resolveMetricsOptions } from './metrics-options.js';
import { sum } from './partition-series.js';
import { PulledCounter, PulledGauge } from './pulled-metrics.js';
import { queueMetrics } from './queue-metrics.js';
import { Rosters } from './roster.js';
import type { SampledFamily } from './sampled-family.js';
import { Sampler } from './sampler.js';

/** The objects to measure: a connection, and the events of its Log and Broker. */
export interface Measured {
  /** The connection over which lag and depth are read. */
  readonly connection: RedisConnection;
  /** The source of counters and durations: give the same events to `Log` and `Broker`. */
  readonly events: Events;
}

/**
 * Millrace's metrics in a prom-client registry. Every process reports its own counters and handlers; one of the scraped processes reports
 * lag and depth of the whole prefix, so that a sum over instances counts nothing twice.
 */
export class Metrics implements Service {
  /** The resolved options, with defaults. */
  readonly options: MetricsOptions;
  readonly #connection: RedisConnection;
  readonly #lifecycle = new Lifecycle();
  readonly #listeners: Listeners;
  readonly #sampler: Sampler;
  readonly #eventLoop: EventLoop;
  /** Bounds the series that are read from Redis. */
  readonly #rosters: Rosters;
  #stopping: Promise<void> | undefined;

  /**
   * Counting begins immediately; `start()` adds the reading between scrapes.
   *
   * @throws {OptionsError} an option is wrong, or the registry has another Metrics that was not stopped
   * @throws {Error} the registry has another metric with one of these names
   */
  constructor(measured: Measured, input: MetricsInput = {}) {
    const { connection, events } = checkedMeasured(measured);
    this.options = resolveMetricsOptions(input);
    const { registry, detail, durationBuckets, kafkaExporterNames, maxSeries, scrapeTimeoutMs } = this.options;
    takeOver(registry);
    const theirs = new Set(registry.getMetricsAsArray());
    this.#listeners = new Listeners(events);
    this.#sampler = new Sampler(connection, events, this.options);
    this.#connection = connection;
    this.#rosters = new Rosters(maxSeries, this.#warn);
    try {
      this.#measureRedisUp(registry);
      const compatible = kafkaExporterNames ? kafkaExporterMetrics : [];
      for (const family of [...logMetrics, ...queueMetrics, ...compatible]) this.#measureSampled(family, registry);
      const own = new Rosters(maxSeries, this.#warn);
      countCommits(this.#listeners, registry, own.of(['consumergroup']));
      const gone = new GoneSources(connection, scrapeTimeoutMs);
      countMessages(this.#listeners, registry, detail, gone, own.of(['source']));
      measureHandlers(this.#listeners, registry, durationBuckets, own);
      this.#eventLoop = new EventLoop(registry);
    } catch (error) {
      this.#listeners.removeAll();
      remove(registry, addedTo(registry, theirs));
      throw error;
    }
    inRegistry.set(registry, { metrics: this, registered: addedTo(registry, theirs) });
  }

  /** Whether `stop` was called. */
  get isStopped(): boolean {
    return this.#stopping !== undefined;
  }

  /** Where the metrics are registered. */
  get registry(): Registry {
    return this.options.registry;
  }

  /** The `Content-Type` for the result of the registry's `metrics()`. */
  get contentType(): string {
    return this.registry.contentType;
  }

  /** Starts the reading between scrapes; counting began with the constructor. */
  start(): Promise<void> {
    return this.#lifecycle.start(async () => {
      this.#eventLoop.start();
      await this.#sampler.start();
    });
  }

  /**
   * Leaves lag and depth to another process; the metrics stay registered with their last counts until another Metrics replaces them in
   * the registry.
   */
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

  /** Everything in the registry in Prometheus' text format. While Redis is away it resolves nevertheless, without lag and depth. */
  scrape(): Promise<string> {
    return this.registry.metrics();
  }

  /** Handles `GET /metrics` of a plain HTTP server. Never rejects: an error is a `warning` of the connection, and a 500 without the reason. */
  readonly handle = async (_request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      const text = await this.scrape();
      response.writeHead(200, { 'content-type': this.contentType }).end(text);
    } catch (error) {
      this.#warn(`metrics: a scrape failed: ${messageOf(error)}`);
      response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' }).end('The scrape failed: see the log.\n');
    }
  };

  readonly #warn = (text: string): void => {
    if (!this.#connection.emit('warning', text)) process.emitWarning(text, 'MillraceWarning');
  };

  #measureRedisUp(registry: Registry): void {
    const help = 'Whether Redis replied to this process in time: 1 or 0.';
    new PulledGauge({ name: 'millrace_redis_up', help, labelNames: [] }, registry, async () => {
      const { kind } = await this.#sampler.sample();
      return [{ labels: {}, value: kind === 'away' ? 0 : 1 }];
    });
  }

  #measureSampled(family: SampledFamily, registry: Registry): void {
    const read = async () => {
      const sample = await this.#sampler.sample();
      if (sample.kind !== 'elected') return [];
      const series = family.read(sample, this.options.detail);
      return boundedSeries(series, { rosters: this.#rosters, snapshot: sample.snapshot }, family.combine ?? sum);
    };
    if (family.type === 'counter') new PulledCounter(family, registry, read);
    else new PulledGauge(family, registry, read);
  }
}

/** @throws {OptionsError} what untyped code gave is not measurable */
function checkedMeasured(measured: Measured): Measured {
  const { connection, events }: Partial<Measured> = measured ?? {};
  assertNoProblem(
    'metrics',
    typeof connection?.emit === 'function'
      ? undefined
      : `connection must be a RedisConnection, got ${shown(connection)}`,
    typeof events?.on === 'function' ? undefined : `events must be those of a Log or Broker, got ${shown(events)}`,
  );
  return { connection, events } as Measured;
}

interface Occupant {
  readonly metrics: Metrics;
  readonly registered: Registered;
}

/** The Metrics of each registry. All copies of this package in a process share it, as they share the registry. */
const inRegistry = occupants();

function occupants(): WeakMap<Registry, Occupant> {
  const key = Symbol.for('millrace.metrics.occupants');
  const shared: WeakMap<Registry, Occupant> = Reflect.get(globalThis, key) ?? new WeakMap<Registry, Occupant>();
  Reflect.set(globalThis, key, shared);
  return shared;
}

/** Removes the metrics of a stopped Metrics from a registry: in a test run one application follows another. */
function takeOver(registry: Registry): void {
  const former = inRegistry.get(registry);
  if (former === undefined) return;
  if (!former.metrics.isStopped) {
    throw new OptionsError('metrics', [
      'registry has the metrics of another Metrics that was not stopped: stop it first, or give each its own registry',
    ]);
  }
  remove(registry, former.registered);
  inRegistry.delete(registry);
}

type Registered = ReturnType<Registry['getMetricsAsArray']>;

function addedTo(registry: Registry, theirs: ReadonlySet<Registered[number]>): Registered {
  return registry.getMetricsAsArray().filter((metric) => !theirs.has(metric));
}

/** Removes these metrics, but not later ones with the same names. */
function remove(registry: Registry, registered: Registered): void {
  for (const metric of registered) {
    if (registry.getMetricsAsArray().includes(metric)) registry.removeSingleMetric(metric.name);
  }
}
