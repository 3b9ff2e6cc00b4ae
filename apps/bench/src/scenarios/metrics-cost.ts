import { batchSize, drain, fill } from '../backlog.js';
import { clear, connect } from '../connection.js';
import { type Delivery, sumOf } from '../delivery-ledger.js';
import { confirmedDurability } from '../durability.js';
import { type Ground, inPasses, type Pace } from '../passes.js';
import { payloadBytes } from '../payload.js';
import type { Place } from '../place.js';
import type { OpenQueue } from '../queue-peer.js';
import type { Sample, Scenario } from '../scenario.js';

// Not beside peers, but beside ourselves, and in one process: what metrics cost is less than what one process is faster than
// the next that runs the same code.

const concurrency = 100;
const pace: Readonly<Record<'full' | 'quick', Pace>> = {
  full: { passes: 8, warmUpMs: 50, turnMs: 400 },
  quick: { passes: 4, warmUpMs: 20, turnMs: 50 },
};

type Source = Pick<OpenQueue, 'publishBatch' | 'consume' | 'close'>;
type Open = (place: Place) => Promise<Source>;

export const metricsCost: readonly Scenario[] = [
  scenario({
    name: 'metrics.queue',
    what: 'what a message costs that a no-op handler handles, with metrics on, divided by what it costs with metrics off',
    backlog: 20_000,
    on: async (place) => (await import('../peers/millrace-queue.js')).openMeasuredQueue(place),
    off: async (place) => (await import('../peers/millrace-queue.js')).openMillraceQueue(place),
  }),
  scenario({
    name: 'metrics.log',
    what: 'what a record costs that a no-op handler handles, with metrics on, divided by what it costs with metrics off',
    backlog: 100_000,
    on: async (place) => (await import('../peers/millrace-log.js')).openMeasuredLog(place),
    off: async (place) => (await import('../peers/millrace-log.js')).openMillraceLog(place),
  }),
];

interface Cost {
  readonly name: string;
  readonly what: string;
  /** Messages drained together: a tenth of a second or two. */
  readonly backlog: number;
  readonly on: Open;
  readonly off: Open;
}

function scenario({ name, what, backlog, on, off }: Cost): Scenario {
  return {
    name,
    what,
    results: [{ name, unit: 'times', better: 'less', targets: { ours: { atMost: 1.05 } } }],
    subjects: {
      millrace: async (place): Promise<Sample> => {
        const start = performance.now();
        const count = place.quick ? backlog / 10 : backlog;
        const { byPoint, messages, delivery } = await inPasses(
          place,
          [0, 1],
          (isOn) => prepare(place, isOn === 1 ? on : off, count),
          place.quick ? pace.quick : pace.full,
        );
        return {
          values: { [name]: (byPoint.get(1) ?? Number.NaN) / (byPoint.get(0) ?? Number.NaN) },
          settings: {
            payloadBytes,
            batch: batchSize,
            concurrency,
            durability: await confirmedDurability(place, 'millrace'),
          },
          messages,
          seconds: (performance.now() - start) / 1000,
          delivery,
        };
      },
    },
  };
}

/** On a server that is empty before and after. */
async function prepare(place: Place, open: Open, count: number): Promise<Ground> {
  const source = await open(place);
  const deliveries: Delivery[] = [];
  return {
    turn: async (ms) => {
      const turn = { messages: 0, ms: 0 };
      while (turn.ms < ms) {
        await fill(source, count);
        const { messages, seconds, stop } = await drain(source, { count, concurrency });
        deliveries.push(await stop());
        turn.messages += messages;
        turn.ms += seconds * 1000;
      }
      return turn;
    },
    close: async () => {
      await source.close();
      await clear(await connect(place));
      return sumOf(deliveries);
    },
  };
}
