import { Events } from '@millrace/delivery';
import { Log } from '@millrace/log';
import { RedisConnection } from '@millrace/redis';
import type { LogLayout, OpenLog, OpenLogPeer } from '../log-peer.js';
import type { Payload } from '../payload.js';
import { type Place, urlOf } from '../place.js';

const topic = 'bench';

/** Ours, with its defaults. */
export const openMillraceLog: OpenLogPeer = async (place, layout) => logOn(await connectionTo(place), layout);

/** The same with metrics, as an application that is scraped has them. */
export const openMeasuredLog: OpenLogPeer = async (place, layout) => {
  const { Metrics } = await import('@millrace/metrics');
  const events = new Events();
  const connection = await connectionTo(place);
  const metrics = new Metrics({ connection, events });
  await metrics.start();
  const log = await logOn(connection, layout, events);
  return { ...log, close: () => metrics.stop().then(log.close) };
};

async function connectionTo(place: Place): Promise<RedisConnection> {
  return new RedisConnection({ url: urlOf(place, 'redis') }).open();
}

async function logOn(
  connection: RedisConnection,
  { partitions = 1, keyOf, compression = 'none' }: LogLayout = {},
  events = new Events(),
): Promise<OpenLog> {
  const log = new Log(connection, { events });
  await log.declareTopic({ name: topic, partitions, compression });
  const producer = log.producer();
  const record = (value: Payload) => (keyOf === undefined ? { topic, value } : { topic, value, key: keyOf(value) });
  return {
    publish: (payload) => producer.send(record(payload)),
    publishBatch: (payloads) => producer.sendBatch(payloads.map(record)),
    consume: async (handler, { concurrency }) => {
      const consumer = log.consumer({
        group: 'bench',
        topics: topic,
        concurrency,
        handler: (payload) => handler(payload as Payload),
      });
      await consumer.start();
      return { stop: () => consumer.stop() };
    },
    close: async () => {
      await log.close();
      await connection.close();
    },
  };
}
