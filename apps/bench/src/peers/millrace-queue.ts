import { Events } from '@millrace/delivery';
import { Broker } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';
import { type Place, urlOf } from '../place.js';
import { type OpenQueue, type OpenQueuePeer, retry } from '../queue-peer.js';

/** Ours, with its defaults. */
export const openMillraceQueue: OpenQueuePeer = async (place, name) => queueOn(await connectionTo(place), name);

/** The same with metrics, as an application that is scraped has them. */
export const openMeasuredQueue: OpenQueuePeer = async (place, name) => {
  const { Metrics } = await import('@millrace/metrics');
  const events = new Events();
  const connection = await connectionTo(place);
  const metrics = new Metrics({ connection, events });
  await metrics.start();
  const queue = await queueOn(connection, name, events);
  return { ...queue, close: () => metrics.stop().then(queue.close) };
};

async function connectionTo(place: Place): Promise<RedisConnection> {
  return new RedisConnection({ url: urlOf(place, 'redis') }).open();
}

async function queueOn(connection: RedisConnection, name = 'bench', events = new Events()): Promise<OpenQueue> {
  const broker = new Broker(connection, { events });
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
}
