import type { Events } from '@millrace/delivery';
import type { RedisConnection } from '@millrace/redis';
import { confirmedDurability } from '../durability.js';
import { payload } from '../payload.js';
import { percentile } from '../percentile.js';
import { type Place, urlOf } from '../place.js';
import type { Sample, Scenario } from '../scenario.js';

const name = 'metrics.scrape';
const topics = 10;
const partitions = 100;
const queues = 100;
const recordsAPartition = 10;

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
  await declare(connection, events);
  const metrics = new Metrics({ connection, events });
  const start = performance.now();
  const times: number[] = [];
  while (times.length < 10 || performance.now() - start < place.warmUpMs + place.windowMs) {
    const from = performance.now();
    await metrics.scrape();
    times.push(performance.now() - from);
  }
  // The first scrapes read what they do not know yet, and the JIT has not settled.
  const counted = times.slice(Math.floor(times.length / 3));
  return {
    values: { [name]: percentile(counted, 0.5) },
    settings: { partitions: topics * partitions, queues, durability: await confirmedDurability(place, 'millrace') },
    messages: counted.length,
    seconds: (performance.now() - start) / 1000,
  };
}

async function declare(connection: RedisConnection, events: Events): Promise<void> {
  const { Log } = await import('@millrace/log');
  const { Broker } = await import('@millrace/queue');
  const log = new Log(connection, { events });
  const producer = log.producer();
  for (let index = 0; index < topics; index++) {
    const topic = `topic-${index}`;
    await log.declareTopic({ name: topic, partitions });
    const records = Array.from({ length: partitions * recordsAPartition }, (_, id) => id);
    await producer.sendBatch(records.map((id) => ({ topic, partition: id % partitions, value: payload(id) })));
    await log.groups.resetOffsets('readers', { topic, to: 'earliest' });
  }
  const broker = new Broker(connection, { events });
  const names = Array.from({ length: queues }, (_, index) => `queue-${index}`);
  await broker.declare({ queues: names.map((name) => ({ name })) });
  await broker.publishBatch(names.map((routingKey, id) => ({ exchange: '', routingKey, body: payload(id) })));
}
