import { backlogFor, batchSize, drain, fill } from '../backlog.js';
import { confirmedDurability } from '../durability.js';
import { payloadBytes } from '../payload.js';
import type { Place } from '../place.js';
import type { OpenQueue } from '../queue-peer.js';
import type { Sample, Scenario } from '../scenario.js';

const concurrency = 100;

/** Metrics on, beside metrics off. */
export const metricsCost: readonly Scenario[] = [
  scenario({
    name: 'metrics.queue',
    what: 'as queue.process.100 with metrics on; the ceiling is the same with metrics off',
    unit: 'messages/s',
    on: async (place) => (await import('../peers/millrace-queue.js')).openMeasuredQueue(place),
    off: async (place) => (await import('../peers/millrace-queue.js')).openMillraceQueue(place),
  }),
  scenario({
    name: 'metrics.log',
    what: 'as log.consume, concurrency 100, with metrics on; the ceiling is the same with metrics off',
    unit: 'records/s',
    on: async (place) => (await import('../peers/millrace-log.js')).openMeasuredLog(place),
    off: async (place) => (await import('../peers/millrace-log.js')).openMillraceLog(place),
  }),
];

interface Cost {
  readonly name: string;
  readonly what: string;
  readonly unit: string;
  readonly on: (place: Place) => Promise<Source>;
  readonly off: (place: Place) => Promise<Source>;
}

type Source = Omit<OpenQueue, 'publishDelayed'>;

function scenario({ name, what, unit, on, off }: Cost): Scenario {
  return {
    name,
    what,
    results: [{ name, unit, better: 'more', targets: { ceiling: { atLeast: 0.95 } } }],
    subjects: {
      millrace: async (place) => measure(place, await on(place), { name, subject: 'millrace' }),
      ceiling: async (place) => measure(place, await off(place), { name, subject: 'ceiling' }),
    },
  };
}

async function measure(
  place: Place,
  source: Source,
  { name, subject }: { name: string; subject: string },
): Promise<Sample> {
  const count = await backlogFor(source, place, { concurrency });
  await fill(source, count);
  const { messages, seconds } = await drain(source, { count, concurrency });
  return {
    values: { [name]: messages / seconds },
    settings: { payloadBytes, batch: batchSize, concurrency, durability: await confirmedDurability(place, subject) },
    messages,
    seconds,
  };
}
