import { Broker } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';
import { urlOf } from '../place.js';
import { type OpenQueuePeer, retry } from '../queue-peer.js';

/** Ours, with its defaults. */
export const openMillraceQueue: OpenQueuePeer = async (place, name = 'bench') => {
  const connection = new RedisConnection({ url: urlOf(place, 'redis') });
  await connection.open();
  const broker = new Broker(connection);
  await broker.declareQueue({ name });
  return {
    publish: (payload) => broker.sendToQueue(name, payload),
    publishBatch: (payloads) => broker.publishBatch(payloads.map((body) => ({ exchange: '', routingKey: name, body }))),
    publishDelayed: (payload, delayMs) => broker.sendToQueue(name, payload, { delayMs }),
    consume: async (handler, { concurrency }) => {
      const consumer = broker.consumer({
        queue: name,
        handler: (payload) => handler(payload as Parameters<typeof handler>[0]),
        concurrency,
        retry: { maxRetries: retry.retries, backoff: retry.delayMs },
      });
      await consumer.start();
      return { stop: () => consumer.stop() };
    },
    close: async () => {
      await broker.close();
      await connection.close();
    },
  };
};
