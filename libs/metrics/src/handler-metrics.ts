import type { RunningConsumer } from '@millrace/delivery';
import type { Registry } from 'prom-client';
import { HandlerTimes } from './handler-times.js';
import type { Listeners } from './listeners.js';
import { PulledCounter, PulledGauge, PulledHistogram } from './pulled-metrics.js';
import type { Roster, Rosters } from './roster.js';
import { Tally } from './tally.js';

/** Metrics of this process's handlers. */
export function measureHandlers(
  listeners: Listeners,
  registry: Registry,
  buckets: readonly number[],
  rosters: Rosters,
): void {
  const handlers = rosters.of(['handler']);
  measureTimes(listeners, registry, buckets, handlers);
  countInFlight(listeners, registry, { handlers, groups: rosters.of(['consumergroup']) });
  countByHandler(listeners, registry, handlers);
}

function measureTimes(listeners: Listeners, registry: Registry, buckets: readonly number[], roster: Roster): void {
  const times = new HandlerTimes(buckets, roster);
  new PulledHistogram(
    {
      name: 'millrace_handler_duration_seconds',
      help: 'How long handlers took, by how they ended.',
      labelNames: ['handler', 'outcome'],
      buckets,
    },
    registry,
    () => times.durations(),
  );
  new PulledHistogram(
    {
      name: 'millrace_handler_wait_seconds',
      help: 'How long messages waited, from their timestamp to their first attempt.',
      labelNames: ['handler'],
      buckets,
    },
    registry,
    () => {
      times.followClock();
      return times.waits();
    },
  );
  // One listener: with two, an emitter copies their list per message.
  listeners.onHandled(times.add, times.addRun);
}

/** Read at each scrape: costs handlers nothing. */
function countInFlight(
  listeners: Listeners,
  registry: Registry,
  { handlers, groups }: { readonly handlers: Roster; readonly groups: Roster },
): void {
  const consumers = new Set<RunningConsumer>();
  new PulledGauge(
    {
      name: 'millrace_handlers_in_flight',
      help: 'Handlers of this process that have begun and not ended.',
      labelNames: ['handler'],
    },
    registry,
    () => {
      const running = new Tally([], handlers);
      for (const consumer of consumers) running.add(consumer.handler, consumer.running());
      return running.series((handler) => ({ handler }));
    },
  );
  new PulledGauge(
    {
      name: 'millrace_consumergroup_partitions_unreadable',
      help: 'Partitions owned by this process that stand still because only a newer Millrace or Node can read their next batch.',
      labelNames: ['consumergroup'],
    },
    registry,
    () => {
      const unreadable = new Tally([], groups);
      for (const consumer of consumers) {
        if (consumer.group !== undefined) unreadable.add(consumer.group, consumer.unreadable?.() ?? 0);
      }
      return unreadable.series((consumergroup) => ({ consumergroup }));
    },
  );
  listeners.on('consumer-started', (consumer) => consumers.add(consumer));
  listeners.on('consumer-stopped', (consumer) => consumers.delete(consumer));
}

function countByHandler(listeners: Listeners, registry: Registry, roster: Roster): void {
  const retries = new Tally([], roster);
  new PulledCounter(
    { name: 'millrace_retries_total', help: 'Attempts that failed and will be repeated.', labelNames: ['handler'] },
    registry,
    () => retries.series((handler) => ({ handler })),
  );
  listeners.on('consumer-started', ({ handler }) => retries.add(handler, 0));
  listeners.on('retry-scheduled', ({ handler }) => retries.add(handler));
  const late = new Tally([], roster);
  new PulledCounter(
    {
      name: 'millrace_late_outcomes_total',
      help: 'Handlers that ended after their attempt had been given up.',
      labelNames: ['handler'],
    },
    registry,
    () => late.series((handler) => ({ handler })),
  );
  listeners.on('consumer-started', ({ handler }) => late.add(handler, 0));
  listeners.on('late-outcome', ({ handler }) => late.add(handler));
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
  listeners.on('background-error', ({ heldBack = 0 }) => failures.add('', 1 + heldBack));
}
