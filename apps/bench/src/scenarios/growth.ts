import { batchSize, drainSome, fill } from '../backlog.js';
import { clear, connect } from '../connection.js';
import { type Delivery, DeliveryLedger, sumOf } from '../delivery-ledger.js';
import { confirmedDurability } from '../durability.js';
import { type Costs, type Ground, inPasses, type Turn } from '../passes.js';
import { type Payload, payloadBytes, payloads } from '../payload.js';
import type { Place } from '../place.js';
import type { OpenQueue } from '../queue-peer.js';
import type { Result, Sample, Scenario } from '../scenario.js';
import { SteadyFlow } from '../steady-flow.js';

// Not beside peers, but beside ourselves: what a message costs must not depend on how much there is of everything.

// What it measures is loaded in the process that measures it: the others have their own.

export const growth: readonly Scenario[] = [
  scenario('growth.waiting', 'messages waiting', [1_000, 10_000, 100_000, 1_000_000], measureWaiting),
  scenario('growth.partitions', 'partitions', [1, 10, 100, 1_000], measurePartitions),
  scenario('growth.queues', 'queues', [1, 10, 100, 1_000], measureQueues),
];

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
        const { byPoint, messages, delivery } = await measure(place, place.quick ? points.slice(0, 3) : points);
        const values = [...byPoint.values()];
        return {
          values: {
            [name]: Math.max(...values) / Math.min(...values),
            ...Object.fromEntries([...byPoint].map(([point, cost]) => [`${name}.${point}`, cost])),
          },
          settings: { payloadBytes, batch: batchSize, durability: await confirmedDurability(place, 'millrace') },
          messages,
          seconds: (performance.now() - start) / 1000,
          delivery,
        };
      },
    },
  };
}

/** Of a ground whose messages are accounted for at the end. */
const later: Delivery = { sent: 0, duplicates: 0 };

/**
 * So many are published and as many handled, while the rest keeps waiting behind them. Each point has a queue, which is
 * filled once and kept: without a consumer it costs nothing while others have their turn.
 */
async function measureWaiting(place: Place, points: readonly number[]): Promise<Costs> {
  const { openMillraceQueue } = await import('../peers/millrace-queue.js');
  const count = place.quick ? 2_000 : 20_000;
  const grounds = new Map<number, Ground & { finish(): Promise<Delivery> }>();
  for (const point of points)
    grounds.set(point, await waiting(await openMillraceQueue(place, `bench-${point}`), point, count));
  const costs = await inPasses(
    place,
    points,
    async (point) => grounds.get(point) ?? Promise.reject(new Error(`no ground ${point}`)),
  );
  const deliveries: Delivery[] = [];
  for (const ground of grounds.values()) deliveries.push(await ground.finish());
  return { ...costs, delivery: sumOf(deliveries) };
}

async function waiting(queue: OpenQueue, point: number, count: number) {
  const ledger = new DeliveryLedger();
  let published = point;
  await fill(queue, point);
  const cycle = async (): Promise<number> => {
    // The consumer before this took some of those behind its own while it stopped.
    const missing = ledger.handled + point + count - published;
    const start = performance.now();
    await fill(queue, missing, { firstId: published });
    published += missing;
    const publishingMs = ((performance.now() - start) * count) / missing;
    const { messages, seconds, stop } = await drainSome(queue, ledger, { count, concurrency: 100 });
    await stop();
    return publishingMs + (seconds * 1000 * count) / messages;
  };
  return {
    turn: async (ms: number): Promise<Turn> => {
      const taken = { messages: 0, ms: 0 };
      while (taken.ms < ms) {
        taken.ms += await cycle();
        taken.messages += count;
      }
      return taken;
    },
    close: async () => later,
    finish: async () => {
      const { stop } = await drainSome(queue, ledger, { count: published - ledger.handled, concurrency: 100 });
      await stop();
      return ledger.account(published);
    },
  };
}

/**
 * Batches go round the partitions, four in flight; one member of a group handles them as they come. A read of many
 * partitions costs what it costs, whatever it brings: with one batch on the way it would be a read a batch that is measured.
 * Each batch is an entry of the log by itself, with one partition as with a thousand.
 */
async function measurePartitions(place: Place, points: readonly number[]): Promise<Costs> {
  const { Log } = await import('@millrace/log');
  return inPasses(place, points, async (partitions) => {
    const connection = await connect(place);
    const log = new Log(connection);
    const topic = 'bench';
    await log.declareTopic({ name: topic, partitions });
    const flow = new SteadyFlow();
    const handler = (payload: unknown) => flow.handle(payload as Payload);
    const consumer = log.consumer({ group: topic, topics: topic, concurrency: 100, handler });
    await consumer.start();
    const producer = log.producer({ maxBatchBytes: batchSize * (payloadBytes + 10) });
    const next = round(partitions);
    const sendToAll = (values: readonly Payload[]) =>
      producer.sendBatch(values.map((value, partition) => ({ topic, partition, value })));
    const sendToNext = (values: readonly Payload[]) => {
      const partition = next();
      return producer.sendBatch(values.map((value) => ({ topic, partition, value })));
    };
    await flow.start(partitions, sendToAll, { batchesInFlight: 4, batchSize, publish: sendToNext });
    return {
      turn: (ms) => flow.turn(ms),
      close: async () => {
        const delivery = await flow.stop();
        await consumer.stop();
        await log.close();
        await clear(connection);
        return delivery;
      },
    };
  });
}

/**
 * Batches go round the queues, each with a consumer of its own. Each has had one before a turn begins: else it would be the first
 * second of a thousand consumers that is measured, in which they have to be looked after and do not know their pace. A turn ends
 * when all were handled: one queue may be filled faster than its one consumer empties it, so what a flow that goes on has handled
 * is not what it has published.
 */
async function measureQueues(place: Place, points: readonly number[]): Promise<Costs> {
  const { Broker } = await import('@millrace/queue');
  return inPasses(place, points, async (queues) => {
    const connection = await connect(place);
    const broker = new Broker(connection);
    const names = Array.from({ length: queues }, (_, queue) => `bench-${queue}`);
    await broker.declare({ queues: names.map((name) => ({ name })) });
    const ledger = new DeliveryLedger();
    const handler = (payload: unknown) => void ledger.note((payload as Payload).id);
    const consumers = names.map((queue) => broker.consumer({ queue, concurrency: 100, handler }));
    await Promise.all(consumers.map((consumer) => consumer.start()));
    const next = round(queues);
    let published = 0;
    const publish = async () => {
      const routingKey = names[next()] ?? '';
      const batch = payloads(batchSize, published);
      published += batchSize;
      await broker.publishBatch(batch.map((body) => ({ exchange: '', routingKey, body })));
    };
    const turn = async (ms: number): Promise<Turn> => {
      const start = performance.now();
      const before = published;
      while (performance.now() - start < ms) await publish();
      await ledger.until(published);
      return { messages: published - before, ms: performance.now() - start };
    };
    for (const _ of names) await publish();
    await ledger.until(published);
    return {
      turn,
      close: async () => {
        await Promise.all(consumers.map((consumer) => consumer.stop()));
        const delivery = ledger.account(published);
        await broker.close();
        await clear(connection);
        return delivery;
      },
    };
  });
}

/** 0, 1, … `count` − 1, and again. */
function round(count: number): () => number {
  let next = 0;
  return () => next++ % count;
}
