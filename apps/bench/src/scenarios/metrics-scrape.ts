import type { Events } from '@millrace/delivery';
import type { Log } from '@millrace/log';
import type { Broker } from '@millrace/queue';
import type { RedisConnection } from '@millrace/redis';
import { type Delivery, DeliveryLedger } from '../delivery-ledger.js';
import { confirmedDurability } from '../durability.js';
import { type Payload, payload, payloads } from '../payload.js';
import { type Place, urlOf } from '../place.js';
import type { Sample, Scenario } from '../scenario.js';
import { percentile } from '../statistics.js';

const name = 'metrics.scrape';
const topics = 10;
const partitions = 100;
const queues = 100;
const recordsAPartition = 10;
const topicNames = Array.from({ length: topics }, (_, index) => `topic-${index}`);
const queueNames = Array.from({ length: queues }, (_, index) => `queue-${index}`);

export const metricsScrape: Scenario = {
  name,
  what: `one scrape of ${topics * partitions} partitions that a group lags on, and of ${queues} queues with a message each`,
  results: [{ name, unit: 'ms', better: 'less', targets: { ours: { atMost: 100 } } }],
  subjects: { millrace: measure },
};

// What it measures is loaded in the process that measures it.

async function measure(place: Place): Promise<Sample> {
  const { Events } = await import('@millrace/delivery');
  const { Metrics } = await import('@millrace/metrics');
  const { RedisConnection } = await import('@millrace/redis');
  const connection = await new RedisConnection({ url: urlOf(place, 'redis') }).open();
  const events = new Events();
  const { log, broker, sent } = await declare(connection, events);
  const metrics = new Metrics({ connection, events });
  const start = performance.now();
  const times: number[] = [];
  while (times.length < 10 || performance.now() - start < place.warmUpMs + place.windowMs) {
    const from = performance.now();
    await metrics.scrape();
    times.push(performance.now() - from);
  }
  // The first scrapes read what they do not know yet, and the JIT has not settled.
  const seconds = (performance.now() - start) / 1000;
  const counted = times.slice(Math.floor(times.length / 3));
  return {
    values: { [name]: percentile(counted, 0.5) },
    settings: { partitions: topics * partitions, queues, durability: await confirmedDurability(place, 'millrace') },
    messages: counted.length,
    seconds,
    delivery: await handleAll(log, broker, sent),
  };
}

/** What the scrapes counted was really there, and is handled to the last. */
async function handleAll(log: Log, broker: Broker, sent: number): Promise<Delivery> {
  const ledger = new DeliveryLedger();
  const handler = (payload: unknown) => void ledger.note((payload as Payload).id);
  const consumers = [
    log.consumer({ group: 'readers', topics: topicNames, handler }),
    ...queueNames.map((queue) => broker.consumer({ queue, handler })),
  ];
  for (const consumer of consumers) await consumer.start();
  await ledger.until(sent);
  for (const consumer of consumers) await consumer.stop();
  return ledger.account(sent);
}

/** All that is scraped. Its messages have the ids 0 … `sent` − 1. */
async function declare(
  connection: RedisConnection,
  events: Events,
): Promise<{ log: Log; broker: Broker; sent: number }> {
  const { Log } = await import('@millrace/log');
  const { Broker } = await import('@millrace/queue');
  const log = new Log(connection, { events });
  const producer = log.producer();
  let sent = 0;
  for (const topic of topicNames) {
    await log.declareTopic({ name: topic, partitions });
    const records = payloads(partitions * recordsAPartition, sent);
    sent += records.length;
    await producer.sendBatch(records.map((value) => ({ topic, partition: value.id % partitions, value })));
    await log.groups.resetOffsets('readers', { topic, to: 'earliest' });
  }
  const broker = new Broker(connection, { events });
  await broker.declare({ queues: queueNames.map((name) => ({ name })) });
  const messages = queueNames.map((routingKey, index) => ({ exchange: '', routingKey, body: payload(sent + index) }));
  await broker.publishBatch(messages);
  return { log, broker, sent: sent + messages.length };
}
