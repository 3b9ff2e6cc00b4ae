import type { RunningConsumer } from '@millrace/delivery';
import type { Registry } from 'prom-client';
import type { Listeners } from './listeners.js';
import { Distribution, PulledCounter, PulledGauge, PulledHistogram } from './pulled-metrics.js';
import { Tally } from './tally.js';

/** What handlers of this process do. The hot path looks up two names and adds to a bucket. */
export function measureHandlers(listeners: Listeners, registry: Registry, buckets: readonly number[]): void {
  measureDurations(listeners, registry, buckets);
  measureWaits(listeners, registry, buckets);
  countInFlight(listeners, registry);
  countByHandler(listeners, registry);
}

function measureDurations(listeners: Listeners, registry: Registry, buckets: readonly number[]): void {
  const durations = new Map<string, Map<string, Distribution>>();
  new PulledHistogram(
    {
      name: 'millrace_handler_duration_seconds',
      help: 'How long handlers took, by how they ended.',
      labelNames: ['handler', 'outcome'],
      buckets,
    },
    registry,
    () =>
      [...durations].flatMap(([handler, byOutcome]) =>
        [...byOutcome].map(([outcome, distribution]) => ({ labels: { handler, outcome }, distribution })),
      ),
  );
  listeners.on('handled', ({ handler, outcome, durationMs }) => {
    const byOutcome = entryOf(durations, handler, () => new Map<string, Distribution>());
    entryOf(byOutcome, outcome, () => new Distribution(buckets)).add(durationMs / 1000);
  });
}

/** From a message's own time to the begin of its first attempt: delays that were asked for are part of it. */
function measureWaits(listeners: Listeners, registry: Registry, buckets: readonly number[]): void {
  const waits = new Map<string, Distribution>();
  new PulledHistogram(
    {
      name: 'millrace_handler_wait_seconds',
      help: 'How long messages waited, from their own time to their first attempt.',
      labelNames: ['handler'],
      buckets,
    },
    registry,
    () => [...waits].map(([handler, distribution]) => ({ labels: { handler }, distribution })),
  );
  listeners.on('handled', ({ handler, attempt, timestamp, durationMs }) => {
    if (attempt > 1 || timestamp === undefined) return;
    const waitedMs = Math.max(0, Date.now() - durationMs - timestamp);
    entryOf(waits, handler, () => new Distribution(buckets)).add(waitedMs / 1000);
  });
}

/** Asked when it is scraped: costs a handler nothing. */
function countInFlight(listeners: Listeners, registry: Registry): void {
  const consumers = new Set<RunningConsumer>();
  new PulledGauge(
    {
      name: 'millrace_handlers_in_flight',
      help: 'Handlers of this process that have begun and not ended.',
      labelNames: ['handler'],
    },
    registry,
    () => {
      const running = new Tally();
      for (const consumer of consumers) running.add(consumer.handler, consumer.running());
      return running.series((handler) => ({ handler }));
    },
  );
  listeners.on('consumer-started', (consumer) => consumers.add(consumer));
  listeners.on('consumer-stopped', (consumer) => consumers.delete(consumer));
}

function countByHandler(listeners: Listeners, registry: Registry): void {
  const retries = new Tally();
  new PulledCounter(
    { name: 'millrace_retries_total', help: 'Attempts that failed and will be repeated.', labelNames: ['handler'] },
    registry,
    () => retries.series((handler) => ({ handler })),
  );
  listeners.on('consumer-started', ({ handler }) => retries.add(handler, 0));
  listeners.on('retry-scheduled', ({ handler }) => retries.add(handler));
  const lost = new Tally(['']);
  new PulledCounter(
    {
      name: 'millrace_leases_lost_total',
      help: 'Leases on partitions and messages that this process lost while it worked on them.',
      labelNames: [],
    },
    registry,
    () => lost.series(() => ({})),
  );
  listeners.on('lease-lost', () => lost.add(''));
  const failures = new Tally(['']);
  new PulledCounter(
    {
      name: 'millrace_background_errors_total',
      help: 'Background duties that failed and were tried again.',
      labelNames: [],
    },
    registry,
    () => failures.series(() => ({})),
  );
  listeners.on('background-error', () => failures.add(''));
}

function entryOf<T>(map: Map<string, T>, key: string, make: () => T): T {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}
