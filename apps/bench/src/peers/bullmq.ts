import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { Payload } from '../payload.js';
import { urlOf } from '../place.js';
import { type OpenQueuePeer, retry } from '../queue-peer.js';

/** BullMQ as its documentation recommends for throughput: finished jobs removed, one connection a role. */
export const openBullmq: OpenQueuePeer = async (place, name = 'bench') => {
  const connection = () => new Redis(urlOf(place, 'redis'), { maxRetriesPerRequest: null });
  const clients = [connection()];
  const queue = new Queue<Payload>(name, {
    connection: clients[0]!,
    defaultJobOptions: {
      removeOnComplete: true,
      removeOnFail: true,
      attempts: retry.retries + 1,
      backoff: { type: 'fixed', delay: retry.delayMs },
    },
  });
  await queue.waitUntilReady();
  return {
    publish: (payload) => queue.add('bench', payload),
    publishBatch: (payloads) => queue.addBulk(payloads.map((data) => ({ name: 'bench', data }))),
    publishDelayed: (payload, delayMs) => queue.add('bench', payload, { delay: delayMs }),
    consume: async (handler, { concurrency }) => {
      const client = connection();
      clients.push(client);
      const worker = new Worker<Payload>(name, async (job) => handler(job.data), { connection: client, concurrency });
      await worker.waitUntilReady();
      return { stop: () => worker.close() };
    },
    close: async () => {
      await queue.close();
      for (const client of clients) client.disconnect();
    },
  };
};
