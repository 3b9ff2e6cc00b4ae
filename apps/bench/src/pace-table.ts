import type { Comparison } from './comparison.js';
import { layOut, showNumber } from './table.js';

/** A row of what a reader of the README sees first. */
interface PaceRow {
  readonly what: string;
  readonly scenario: string;
  /** What a number is, after it. */
  readonly unit: string;
  /** Whose numbers stand beside ours, and what they are called there. */
  readonly beside: Readonly<Record<string, string>>;
}

const pace: readonly PaceRow[] = [
  {
    what: 'messages published, each confirmed, 64 callers',
    scenario: 'queue.publish.awaited',
    unit: 'a second',
    beside: { bullmq: 'BullMQ', rabbitmq: 'RabbitMQ through amqplib' },
  },
  {
    what: 'messages handled and settled, concurrency 100',
    scenario: 'queue.process.100',
    unit: 'a second',
    beside: { bullmq: 'BullMQ', rabbitmq: 'RabbitMQ' },
  },
  {
    what: 'the same in Nest, with a pipe and an interceptor',
    scenario: 'nest.dispatch',
    unit: 'a second',
    beside: { 'nestjs-bullmq': '@nestjs/bullmq' },
  },
  {
    what: 'from publish to handler, 500 a second, median',
    scenario: 'queue.latency.p50',
    unit: 'ms',
    beside: { bullmq: 'BullMQ', rabbitmq: 'RabbitMQ', ioredis: 'plain Redis lists' },
  },
  {
    what: 'memory of a waiting message',
    scenario: 'queue.memory',
    unit: 'bytes',
    beside: { bullmq: 'BullMQ' },
  },
  {
    what: 'records appended in batches of 500',
    scenario: 'log.send.batch',
    unit: 'a second',
    beside: { ioredis: 'pipelined `XADD`', kafka: 'Kafka through kafkajs' },
  },
  {
    what: 'records consumed by a group, with commits',
    scenario: 'log.consume',
    unit: 'a second',
    beside: { ioredis: '`XREADGROUP` and `XACK`', kafka: 'Kafka' },
  },
];

/** The README's table. Of a run that lacks a scenario or a peer, it says as much as there is. */
export function paceTable(rows: readonly Comparison[]): string {
  const lines = pace.flatMap(({ what, scenario, unit, beside }) => {
    const row = rows.find((entry) => entry.scenario === scenario);
    if (row?.ours === undefined || row.ours === null) return [];
    const peers = Object.entries(beside).flatMap(([peer, name]) => showBeside(row, peer, name));
    return [[what, `${showNumber(row.ours.median)} ${unit}`, peers.join(', ')]];
  });
  return layOut([['what', 'Millrace', 'beside'], ...lines]);
}

/** How many times our rate is theirs; of times and sizes both numbers say it. */
function showBeside({ peers, ratio, better }: Comparison, peer: string, name: string): string[] {
  const spread = peers[peer];
  if (spread === undefined) return [];
  const times =
    better === 'more' && ratio[peer] !== undefined ? ` (${Number(ratio[peer].median.toPrecision(2))} times)` : '';
  return [`${name} ${showNumber(spread.median)}${times}`];
}
