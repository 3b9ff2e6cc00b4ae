import type { DeadLetterReason } from '@millrace/core';
import type { Registry } from 'prom-client';
import type { CountsBySource, GoneSources } from './gone-sources.js';
import type { Listeners } from './listeners.js';
import type { Detail } from './metrics-options.js';
import { type Family, PulledCounter, type Series } from './pulled-metrics.js';
import type { Roster } from './roster.js';
import { Tally, TallyTable } from './tally.js';

const reasons: readonly DeadLetterReason[] = [
  'failed',
  'rejected',
  'undecodable',
  'invalid',
  'expired',
  'maxlen',
  'delivery_limit',
];

/**
 * Counts of what this process did with messages, as RabbitMQ counts them: per process, so that the sum over instances is right. Counts by
 * source are removed with their source.
 */
export function countMessages(
  listeners: Listeners,
  registry: Registry,
  { sources }: Detail,
  goneSources: GoneSources,
  roster: Roster,
): void {
  if (sources) goneSources.watch(roster);
  const counter: Count = (family, counts, read) => {
    if (sources) goneSources.watch(counts);
    new PulledCounter(family, registry, sources ? () => goneSources.forget().then(read) : read);
  };
  const names = sources ? (['source'] as const) : [];
  const count = (name: string, help: string): ((source: string, count?: number) => void) => {
    const tally = sources ? new Tally([], roster) : new Tally(['']);
    const read = () => tally.series((source): Record<string, string> => (sources ? { source } : {}));
    counter({ name: `millrace_messages_${name}_total`, help, labelNames: names }, tally, read);
    return (source, added) => tally.add(sources ? source : '', added);
  };
  const published = count('published', 'Messages published to an exchange or queue, confirmed or not.');
  const confirmed = count('confirmed', 'Published messages that Redis confirmed.');
  const routed = count('routed', 'Copies of published messages that queues and topics took.');
  const unroutable = count('unroutable', 'Published messages that no binding matched.');
  const delivered = count('delivered', 'Messages that consumers took from queues.');
  const redelivered = count('redelivered', 'Delivered messages that a handler may have worked on before.');
  const acknowledged = count('acknowledged', 'Messages of queues that were handled and acknowledged in Redis.');
  listeners.on('published', ({ exchange, isConfirmed, routed: copies, isUnroutable }) => {
    const source = sources ? `exchange:${exchange}` : '';
    published(source);
    confirmed(source, isConfirmed ? 1 : 0);
    routed(source, copies);
    unroutable(source, isUnroutable ? 1 : 0);
  });
  listeners.on('delivered', (event) => {
    delivered(event.source, event.count);
    redelivered(event.source, event.redelivered);
  });
  listeners.on('acknowledged', (event) => acknowledged(event.source, event.count));
  // Reported as 0 from the start, so that the first event is an increase.
  listeners.on('consumer-started', ({ source, group }) => {
    if (group === undefined) for (const add of [delivered, redelivered, acknowledged]) add(source, 0);
  });
  countDeaths(listeners, counter, sources ? roster : undefined);
}

type Count = (family: Family, counts: CountsBySource, read: () => Series[]) => void;

function countDeaths(listeners: Listeners, counter: Count, roster: Roster | undefined): void {
  const sources = roster !== undefined;
  const count = (name: string, help: string, event: 'dead-lettered' | 'discarded'): TallyTable => {
    const table = new TallyTable(reasons, roster);
    if (!sources) table.row('');
    const labelNames = sources ? ['reason', 'source'] : ['reason'];
    counter({ name, help, labelNames }, table, () =>
      table.series((source, reason): Record<string, string> => (sources ? { reason, source } : { reason })),
    );
    const rowOf = (source: string): Tally => table.row(sources ? source : '');
    listeners.on(event, ({ source, reason }) => rowOf(source).add(reason));
    listeners.on('partition-assigned', ({ topic }) => rowOf(`topic:${topic}`));
    listeners.on('consumer-started', ({ source, group }) => {
      if (group === undefined) rowOf(source);
    });
    return table;
  };
  const dead = 'Messages and records that were given up and kept, by reason.';
  const table = count('millrace_messages_dead_lettered_total', dead, 'dead-lettered');
  listeners.on('died', (event) => table.row(sources ? event.source : '').add(event.reason, event.count));
  count(
    'millrace_messages_discarded_total',
    'Messages and records that were given up and not kept, by reason.',
    'discarded',
  );
}

/** How commits of this process ended. */
export function countCommits(listeners: Listeners, registry: Registry, roster: Roster): void {
  const table = new TallyTable(['ok', 'fenced', 'truncated', 'diverged', 'gone'], roster);
  new PulledCounter(
    {
      name: 'millrace_consumergroup_offset_commits_total',
      help: 'Commits of offsets by this process: ok, or refused because the partition is another member’s (fenced), its log ends before the offset (truncated), holds other records than were read (diverged) or it was deleted (gone).',
      labelNames: ['consumergroup', 'result'],
    },
    registry,
    () => table.series((consumergroup, result) => ({ consumergroup, result })),
  );
  listeners.on('consumer-started', ({ group }) => {
    if (group !== undefined) table.row(group);
  });
  listeners.on('committed', ({ group }) => table.row(group).add('ok'));
  listeners.on('commit-refused', ({ group, why }) => table.row(group).add(why));
}
