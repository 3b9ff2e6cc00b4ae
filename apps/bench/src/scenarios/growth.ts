import { batchSize, drain, fill } from '../backlog.js';
import { confirmedDurability } from '../durability.js';
import { flow } from '../flow.js';
import { payloadBytes, payloads } from '../payload.js';
import { type Place, urlOf } from '../place.js';
import type { Result, Sample, Scenario } from '../scenario.js';

// Not beside peers, but beside ourselves: what a message costs must not depend on how much there is of everything. Each
// point is measured several times, in turns, and its cheapest turn counts: the others were disturbed by something else.

// What it measures is loaded in the process that measures it: the others have their own.

const turns = 3;

export const growth: readonly Scenario[] = [
  scenario('growth.waiting', 'messages waiting', [1_000, 10_000, 100_000, 1_000_000], measureWaiting),
  scenario('growth.partitions', 'partitions', [1, 10, 100, 1_000], measurePartitions),
  scenario('growth.queues', 'queues', [1, 10, 100, 1_000], measureQueues),
];

/** µs a message at each point. */
type Costs = ReadonlyMap<number, number>;

function scenario(
  name: string,
  of: string,
  points: readonly number[],
  measure: (place: Place, points: readonly number[]) => Promise<Costs>,
): Scenario {
  const results: Result[] = points.map((point) => ({ name: `${name}.${point}`, unit: 'µs/message', better: 'less' }));
  return {
    name,
    what: `what a message costs, published and handled, at ${points.map((point) => point.toLocaleString('en-US')).join(', ')} ${of}; the sum is the dearest point divided by the cheapest`,
    results: [{ name, unit: 'times', better: 'less', targets: { ours: { atMost: 1.2 } } }, ...results],
    subjects: {
      millrace: async (place): Promise<Sample> => {
        const start = performance.now();
        const costs = await measure(place, place.quick ? points.slice(0, 3) : points);
        const values = [...costs.values()];
        return {
          values: {
            [name]: Math.max(...values) / Math.min(...values),
            ...Object.fromEntries([...costs].map(([point, cost]) => [`${name}.${point}`, cost])),
          },
          settings: { payloadBytes, batch: batchSize, durability: await confirmedDurability(place, 'millrace') },
          messages: costs.size * turns * cycle(place),
          seconds: (performance.now() - start) / 1000,
        };
      },
    },
  };
}

/** Messages a turn. */
function cycle(place: Place): number {
  return place.quick ? 5_000 : 20_000;
}

/** So many are published and as many handled, while the rest keeps waiting behind them. */
async function measureWaiting(place: Place, points: readonly number[]): Promise<Costs> {
  const { openMillraceQueue } = await import('../peers/millrace-queue.js');
  const queue = await openMillraceQueue(place);
  const count = cycle(place);
  const turn = async (): Promise<number> => {
    const start = performance.now();
    await fill(queue, count);
    const publishing = (performance.now() - start) / count;
    const { messages, seconds, stop } = await drain(queue, { count, concurrency: 100 });
    await stop();
    return publishing * 1000 + (seconds * 1e6) / messages;
  };
  await turn();
  await turn();
  const costs = new Map<number, number>();
  let waiting = 0;
  for (const point of points) {
    await fill(queue, point - waiting);
    waiting = point;
    const measured: number[] = [];
    for (let index = 0; index < turns; index++) measured.push(await turn());
    costs.set(point, Math.min(...measured));
  }
  return costs;
}

/**
 * Batches go round the partitions, four on the way at once; one member of a group handles them as they come. A read of many
 * partitions costs what it costs, whatever it brings: with one batch on the way it would be a read a batch that is measured.
 * Each batch is an entry of the log by itself, with one partition as with a thousand.
 */
async function measurePartitions(place: Place, points: readonly number[]): Promise<Costs> {
  const { Log } = await import('@millrace/log');
  const log = new Log(await connect(place));
  const producer = log.producer({ maxBatchBytes: batchSize * (payloadBytes + 10) });
  return inTurns(place, points, async (partitions, handled, index) => {
    const topic = `bench-${index}`;
    await log.declareTopic({ name: topic, partitions });
    const consumer = log.consumer({ group: topic, topics: topic, concurrency: 100, handler: handled });
    await consumer.start();
    const everywhere = Array.from({ length: partitions }, (_, partition) => ({ topic, partition, value: 0 }));
    let next = 0;
    return {
      batchesInFlight: 4,
      touch: async () => {
        await producer.sendBatch(everywhere);
        return partitions;
      },
      publish: () => {
        const partition = next++ % partitions;
        return producer.sendBatch(payloads(batchSize).map((value) => ({ topic, partition, value })));
      },
      close: () => consumer.stop(),
    };
  });
}

/** Batches go round the queues, each with a consumer of its own. */
async function measureQueues(place: Place, points: readonly number[]): Promise<Costs> {
  const { Broker } = await import('@millrace/queue');
  const broker = new Broker(await connect(place));
  return inTurns(place, points, async (queues, handled, index) => {
    const names = Array.from({ length: queues }, (_, queue) => `bench-${index}-${queue}`);
    await broker.declare({ queues: names.map((name) => ({ name })) });
    const consumers = names.map((queue) => broker.consumer({ queue, concurrency: 100, handler: handled }));
    await Promise.all(consumers.map((consumer) => consumer.start()));
    let next = 0;
    return {
      batchesInFlight: 1,
      touch: async () => {
        await broker.publishBatch(names.map((routingKey) => ({ exchange: '', routingKey, body: 0 })));
        return queues;
      },
      publish: () => {
        const routingKey = names[next++ % queues] ?? '';
        return broker.publishBatch(payloads(batchSize).map((body) => ({ exchange: '', routingKey, body })));
      },
      close: () => Promise.all(consumers.map((consumer) => consumer.stop())),
    };
  });
}

interface Ground {
  readonly batchesInFlight: number;
  /** Sends one message to each partition or queue; answers how many. */
  touch(): Promise<number>;
  publish(): Promise<unknown>;
  close(): Promise<unknown>;
}

/** Each point for itself, in its turn. */
async function inTurns(
  place: Place,
  points: readonly number[],
  prepare: (point: number, handled: () => void, index: number) => Promise<Ground>,
): Promise<Costs> {
  const costs = new Map<number, number>();
  // The first is for warming up.
  for (const [index, point] of [points[0] ?? 1, ...points].entries()) {
    const sink = flow();
    const ground = await prepare(point, sink.handled, index);
    await sink.until(await ground.touch());
    const batches = cycle(place) / batchSize;
    const measured: number[] = [];
    for (let turn = 0; turn <= turns; turn++) {
      const start = performance.now();
      await publishAll(ground, batches);
      await sink.until(batches * batchSize);
      measured.push(((performance.now() - start) * 1000) / (batches * batchSize));
    }
    costs.set(point, Math.min(...measured));
    await ground.close();
  }
  return costs;
}

async function publishAll({ batchesInFlight, publish }: Ground, batches: number): Promise<void> {
  let left = batches;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await publish();
  };
  await Promise.all(Array.from({ length: batchesInFlight }, lane));
}

async function connect(place: Place) {
  const { RedisConnection } = await import('@millrace/redis');
  return new RedisConnection({ url: urlOf(place, 'redis') }).open();
}
