import { batchSize, drain, fill } from '../backlog.js';
import { type Delivery, DeliveryLedger, sumOf } from '../delivery-ledger.js';
import { confirmedDurability } from '../durability.js';
import { openLoop } from '../open-loop.js';
import { payload, payloadBytes } from '../payload.js';
import { logPeers, queuePeers } from '../peers.js';
import type { Place } from '../place.js';
import type { OpenQueue } from '../queue-peer.js';
import { RedisCpu } from '../redis-cpu.js';
import type { Result, Sample, Scenario } from '../scenario.js';

// Redis has one thread for its commands: what a message takes of it bounds what all processes together can do. A machine that others use changes
// it less than any rate.

const concurrency = 100;
const perSecond = 500;

export const redisCost: readonly Scenario[] = [
  {
    name: 'redis.cost',
    what: describe('message'),
    results: results('redis.cost', 'µs/message', { bullmq: { atMost: 0.1 } }),
    subjects: queuePeers(
      async (place, open, subject) => measure(place, await open(place), { name: 'redis.cost', subject }),
      ['millrace', 'ceiling', 'bullmq', 'groupmq', 'bee-queue', 'ioredis'],
    ),
  },
  {
    name: 'redis.cost.log',
    what: describe('record'),
    results: results('redis.cost.log', 'µs/record', { ioredis: { atMost: 0.2 } }),
    subjects: logPeers(
      async (place, open, subject) => measure(place, await open(place), { name: 'redis.cost.log', subject }),
      ['millrace', 'ceiling', 'ioredis'],
    ),
  },
];

function describe(what: string): string {
  return `processor time of Redis per ${what}: published in batches of ${batchSize} and handled with concurrency ${concurrency}, each by itself, and both; \`paced\`: sent one by one to a consumer that waits, ${perSecond} a second`;
}

function results(name: string, unit: string, targets: NonNullable<Result['targets']>): Result[] {
  return [
    { name, unit, better: 'less', targets },
    { name: `${name}.published`, unit, better: 'less' },
    { name: `${name}.handled`, unit, better: 'less' },
    { name: `${name}.paced`, unit, better: 'less' },
  ];
}

type Source = Omit<OpenQueue, 'publishDelayed'>;

async function measure(
  place: Place,
  source: Source,
  { name, subject }: { readonly name: string; readonly subject: string },
): Promise<Sample> {
  const start = performance.now();
  const count = place.quick ? 4_000 : 40_000;
  const cpu = new RedisCpu(place);
  const deliveries: Delivery[] = [];
  const round = async (messages: number) => {
    const before = await cpu.usedUs();
    await fill(source, messages);
    const between = await cpu.usedUs();
    const { stop } = await drain(source, { count: messages, concurrency });
    deliveries.push(await stop());
    return { published: (between - before) / messages, handled: ((await cpu.usedUs()) - between) / messages };
  };
  // What the server and its client do only once: scripts, connections, the first pages of memory.
  await round(Math.ceil(count / 10));
  const { published, handled } = await round(count);
  const paced = await measurePaced(place, source, cpu);
  deliveries.push(paced.delivery);
  cpu.close();
  await source.close().catch(() => undefined);
  return {
    values: {
      [name]: published + handled,
      [`${name}.published`]: published,
      [`${name}.handled`]: handled,
      [`${name}.paced`]: paced.cost,
    },
    settings: {
      payloadBytes,
      count,
      batch: batchSize,
      concurrency,
      durability: await confirmedDurability(place, subject),
    },
    messages: count,
    seconds: (performance.now() - start) / 1000,
    delivery: sumOf(deliveries),
  };
}

async function measurePaced(place: Place, source: Source, cpu: RedisCpu) {
  const count = Math.round((place.windowMs * 2 * perSecond) / 1000);
  const ledger = new DeliveryLedger();
  const consumer = await source.consume(({ id }) => void ledger.note(id), { concurrency });
  const before = await cpu.usedUs();
  let id = 0;
  await openLoop(() => source.publish(payload(id++)), { perSecond, count });
  await ledger.until(count);
  const used = (await cpu.usedUs()) - before;
  await consumer.stop();
  return { cost: used / count, delivery: ledger.account(count) };
}
