import { type Delivery, sumOf } from '../delivery-ledger.js';
import { confirmedDurability } from '../durability.js';
import { payloadBytes } from '../payload.js';
import type { Place } from '../place.js';
import { RedisCpu } from '../redis-cpu.js';
import type { Sample, Scenario } from '../scenario.js';
import { memoryAgainst } from './memory.js';
import { type Cost, ratioOf, takePairs } from './pairs.js';
import { type OpenSide, openBoth, oursFirst, type Side, type Source } from './sides.js';
import { awaitedPublishes, bulkPublishes, bursts, drains, singles, type Workload } from './workloads.js';

// This build against that of another checkout, in one process on one Redis, slice by slice in turns. Two processes that run the same code differ
// by more than a change is worth; two builds in one process by 1 or 2 %.

const queue: OpenSide = async (build, place, prefix) =>
  (await import('../peers/millrace-queue.js')).openQueueOf(build, place, { prefix });
const log: OpenSide = async (build, place, prefix) =>
  (await import('../peers/millrace-log.js')).openLogOf(build, place, { prefix });

/** What `--against` measures. */
export const againstScenarios: readonly Scenario[] = [
  scenario('against.queue.publish', '64 callers publish and await', queue, (source) =>
    awaitedPublishes(source, { count: 3_200, callers: 64 }),
  ),
  scenario('against.queue.bulk', 'batches of 500 are published', queue, (source) =>
    bulkPublishes(source, { batches: 8 }),
  ),
  scenario('against.queue.process', 'a consumer handles 10,000 that wait', queue, (source) =>
    drains(source, { count: 10_000 }),
  ),
  scenario(
    'against.queue.deep',
    'a consumer handles 10,000, with 500,000 behind them (quick: 50,000)',
    queue,
    (source, quick) => drains(source, { count: 10_000, behind: quick ? 50_000 : 500_000 }),
  ),
  scenario('against.queue.burst', '10,000 are published to a consumer that waits', queue, (source) =>
    bursts(source, { size: 10_000 }),
  ),
  scenario('against.queue.single', 'one message after the other to a consumer that waits', queue, (source) =>
    singles(source, { count: 200 }),
  ),
  memoryAgainst('against.queue.memory', 'bytes of Redis per waiting message', queue),
  scenario('against.log.send', '256 callers send and await', log, (source) =>
    awaitedPublishes(source, { count: 12_800, callers: 256 }),
  ),
  scenario('against.log.batch', 'batches of 500 are sent', log, (source) => bulkPublishes(source, { batches: 20 })),
  scenario('against.log.consume', 'a group handles 50,000 records', log, (source) => drains(source, { count: 50_000 })),
  scenario('against.log.single', 'one record after the other to a group that waits', log, (source) =>
    singles(source, { count: 200 }),
  ),
  memoryAgainst('against.log.memory', 'bytes of Redis per record', log),
];

const pace = { full: { warmUps: 6, pairs: 24 }, quick: { warmUps: 3, pairs: 8 } } as const;

function scenario(
  name: string,
  what: string,
  open: OpenSide,
  prepare: (source: Source, quick: boolean) => Workload | Promise<Workload>,
): Scenario {
  // No slower: a median above 1 that the interval does not tell from 1 is met within noise.
  const targets = { ours: { atMost: 1 } };
  return {
    name,
    what: `${what}: time, Redis’ processor time and the process’ per message, this build divided by the other`,
    results: [
      { name, unit: 'times', better: 'less', targets },
      { name: `${name}.redis`, unit: 'times', better: 'less', targets },
      { name: `${name}.cpu`, unit: 'times', better: 'less', targets },
    ],
    subjects: {
      millrace: async (place): Promise<Sample> => {
        const start = performance.now();
        const { pairs, messages, delivery } = await measure(place, open, (source) => prepare(source, place.quick));
        return {
          values: {
            [name]: ratioOf(pairs, 'wall'),
            [`${name}.redis`]: ratioOf(pairs, 'redis'),
            [`${name}.cpu`]: ratioOf(pairs, 'process'),
          },
          settings: { payloadBytes, pairs: pairs.length, durability: await confirmedDurability(place, 'millrace') },
          messages,
          seconds: (performance.now() - start) / 1000,
          delivery,
        };
      },
    },
  };
}

/** Who begins changes from round to round, and within it from pair to pair. */
async function measure(place: Place, open: OpenSide, prepare: (source: Source) => Workload | Promise<Workload>) {
  const workloads = new Map<Side, Workload>();
  for (const [side, source] of await openBoth(place, open)) workloads.set(side, await prepare(source));
  const cpu = new RedisCpu(place);
  let messages = 0;
  const slice = (side: Side) => async (): Promise<Cost> => {
    const workload = workloads.get(side);
    if (workload === undefined) throw new Error(`there is no build ${side}`);
    const { cost, count } = await sliceOf(workload, cpu);
    messages += count;
    return cost;
  };
  const slices = { ours: slice('ours'), theirs: slice('theirs') };
  const pairs = await takePairs(slices, { ...(place.quick ? pace.quick : pace.full), oursFirst: oursFirst(place) });
  cpu.close();
  const deliveries: Delivery[] = [];
  for (const workload of workloads.values()) deliveries.push(await workload.close());
  return { pairs, messages, delivery: sumOf(deliveries) };
}

async function sliceOf(workload: Workload, cpu: RedisCpu): Promise<{ cost: Cost; count: number }> {
  await workload.prepare();
  const redisBefore = await cpu.usedUs();
  const processBefore = process.cpuUsage();
  const start = performance.now();
  const count = await workload.run();
  const wallUs = (performance.now() - start) * 1000;
  const { user, system } = process.cpuUsage(processBefore);
  const redisUs = (await cpu.usedUs()) - redisBefore;
  await workload.settle();
  return { cost: { wall: wallUs / count, redis: redisUs / count, process: (user + system) / count }, count };
}
