import { crowdOperations, measureCrowd } from '../blocks/crowd-operations.js';
import { logOperations, measureLog } from '../blocks/log-operations.js';
import { measureQueue, queueOperations } from '../blocks/queue-operations.js';
import { measureTimed, timedOperations } from '../blocks/timed-operations.js';
import { measureTopology, topologyOperations } from '../blocks/topology-operations.js';
import type { Delivery } from '../delivery-ledger.js';
import { confirmedDurability } from '../durability.js';
import type { LongestCommand } from '../longest-command.js';
import { payloadBytes } from '../payload.js';
import type { Place } from '../place.js';
import type { Sample, Scenario } from '../scenario.js';

// Redis runs one command at a time: one that takes 100 ms is 100 ms of latency for everyone. No command may be the longer the more messages wait.

const many = 1_000_000;
const manyWhenQuick = 100_000;
const mostMs = 5;

export const blocks: readonly Scenario[] = [
  scenario('blocks.queue', queueOperations, measureQueue),
  scenario('blocks.timed', timedOperations, measureTimed),
  scenario('blocks.topology', topologyOperations, measureTopology),
  scenario('blocks.crowd', crowdOperations, measureCrowd),
  scenario('blocks.log', logOperations, measureLog),
];

/** What is done, and how the page describes it. */
type Operations = Readonly<Record<string, string>>;

function scenario(
  name: string,
  operations: Operations,
  measure: (
    place: Place,
    count: number,
  ) => Promise<{ longest: Record<string, LongestCommand>; delivery: Delivery | null }>,
): Scenario {
  const done = Object.entries(operations).map(([operation, what]) => `${operation} (${what})`);
  return {
    name,
    what: `the longest command of Redis, by SLOWLOG, per operation on ${many.toLocaleString('en-US')} messages (quick: ${manyWhenQuick.toLocaleString('en-US')}): ${done.join(', ')}`,
    results: Object.keys(operations).map((operation) => ({
      name: `${name}.${operation}`,
      unit: 'ms',
      better: 'less',
      targets: { ours: { atMost: mostMs } },
    })),
    subjects: {
      millrace: async (place): Promise<Sample> => {
        const start = performance.now();
        const count = place.quick ? manyWhenQuick : many;
        const { longest, delivery } = await measure(place, count);
        const entries = Object.entries(longest);
        return {
          values: Object.fromEntries(entries.map(([operation, { ms }]) => [`${name}.${operation}`, ms])),
          notes: Object.fromEntries(entries.map(([operation, { command }]) => [`${name}.${operation}`, command])),
          settings: { payloadBytes, count, durability: await confirmedDurability(place, 'millrace') },
          messages: count,
          seconds: (performance.now() - start) / 1000,
          delivery,
        };
      },
    },
  };
}
