import { Log } from '@millrace/log';
import { RedisConnection } from '@millrace/redis';
import type { OpenLogPeer } from '../log-peer.js';
import type { Payload } from '../payload.js';
import { urlOf } from '../place.js';

const topic = 'bench';

/** Ours, with its defaults. */
export const openMillraceLog: OpenLogPeer = async (place, { partitions = 1, keyOf, compression = 'none' } = {}) => {
  const connection = new RedisConnection({ url: urlOf(place, 'redis') });
  await connection.open();
  const log = new Log(connection);
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
};
