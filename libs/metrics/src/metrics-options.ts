import { boolean, custom, integer, type OptionReader, optional, resolveOptions } from '@millrace/core';
import { Registry } from 'prom-client';
import type { SamplerOptions } from './sampler.js';

/** Series beside those of topics, groups, queues and handlers. All off by default: many series cost Prometheus memory. */
export interface Detail {
  /** `millrace_topic_partition_*` and `millrace_consumergroup_*` by `partition`; else one series per topic. */
  readonly partitions: boolean;
  /** Exclusive, auto-deleted and expiring queues each by its name; else all of them as `queue="(temporary)"`. */
  readonly temporaryQueues: boolean;
  /** `millrace_messages_*_total` by `source` (`queue:<name>`, `topic:<name>`, `exchange:<name>`). */
  readonly sources: boolean;
}

/** What is measured, in which detail, and in which registry. */
export interface MetricsOptions extends SamplerOptions {
  /** Where the metrics are registered. Default: a new registry. */
  readonly registry: Registry;
  /** `true` for every detail. Default `false`. */
  readonly detail: Detail;
  /**
   * How many topics, groups, queues, handlers and sources have their own series in a metric, per set of labels. The rest share one
   * series, `(other)`, with their sum, or the worst age or state. Default 1,000.
   */
  readonly maxSeries: number;
  /** Report topics and groups also by the names of danielqsj/kafka_exporter, for Grafana dashboard 7589. Default false. */
  readonly kafkaExporterNames: boolean;
  /** Upper bounds of the buckets of durations, in seconds, rising. Default: {@link defaultDurationBuckets}. */
  readonly durationBuckets: readonly number[];
  /** How often a scraped process reads lag between scrapes, in ms. Default 5,000. */
  readonly sampleIntervalMs: number;
  /**
   * How long lag and depth are not read after the process that read them died, in ms. At least twice `sampleIntervalMs`. Default 15,000.
   */
  readonly leaseMs: number;
  /** Longest time a scrape waits for Redis, in ms. Default 800. */
  readonly scrapeTimeoutMs: number;
  /** A process that was not scraped for this time, in ms, leaves the reading to other processes. Default 300,000. */
  readonly idleAfterMs: number;
}

/** The options as users write them: all are optional. */
export type MetricsInput = Partial<Omit<MetricsOptions, 'detail'>> & {
  readonly detail?: boolean | Partial<Detail> | undefined;
};

/** Handlers take from a millisecond to minutes. */
export const defaultDurationBuckets: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

/** @throws {OptionsError} with all problems */
export function resolveMetricsOptions(input: MetricsInput = {}): MetricsOptions {
  const interval = typeof input?.sampleIntervalMs === 'number' ? input.sampleIntervalMs : 5000;
  return resolveOptions<MetricsOptions>(
    'metrics',
    {
      registry: (value, report, path) =>
        optional(custom(noRegistry, 'a Registry of prom-client', isRegistry))(value, report, path) ?? new Registry(),
      detail,
      maxSeries: integer(1000, { min: 1 }),
      kafkaExporterNames: boolean(false),
      durationBuckets: custom(defaultDurationBuckets, 'a list of rising numbers of seconds', isRising),
      sampleIntervalMs: integer(5000, { min: 100 }),
      leaseMs: integer(Math.max(15_000, interval * 3), { min: interval * 2 }),
      scrapeTimeoutMs: integer(800, { min: 1 }),
      idleAfterMs: integer(300_000, { min: 1000 }),
    },
    input,
  );
}

const detailNames = ['partitions', 'temporaryQueues', 'sources'] as const;

const detail: OptionReader<Detail> = (value, report, path) => {
  if (typeof value === 'boolean' || value === undefined) {
    const isWanted = value === true;
    return { partitions: isWanted, temporaryQueues: isWanted, sources: isWanted };
  }
  if (typeof value !== 'object' || value === null)
    report(`${path} must be true, false or { ${detailNames.join(', ')} }`);
  const given = Object.entries(value ?? {});
  for (const [name, wanted] of given) {
    if (!detailNames.some((known) => known === name))
      report(`${path}.${name} is not a detail: use ${detailNames.join(', ')}`);
    else if (typeof wanted !== 'boolean') report(`${path}.${name} must be true or false`);
  }
  const isWanted = (name: string) => given.some(([key, wanted]) => key === name && wanted === true);
  return {
    partitions: isWanted('partitions'),
    temporaryQueues: isWanted('temporaryQueues'),
    sources: isWanted('sources'),
  };
};

const noRegistry = new Registry();

/** Not by `instanceof`: the application may have another copy of prom-client. */
function isRegistry(value: unknown): value is Registry {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['registerMetric', 'metrics', 'contentType'].every((name) => name in value)
  );
}

function isRising(value: unknown): value is readonly number[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((bound, index) => Number.isFinite(bound) && (index === 0 || bound > value[index - 1]))
  );
}
