import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { Payload } from '../payload.js';
import { type Place, urlOf } from '../place.js';
import { type OpenQueue, type OpenQueuePeer, retry } from '../queue-peer.js';

/** BullMQ as its documentation recommends for throughput: finished jobs removed, one connection a role. */
export const openBullmq: OpenQueuePeer = (place, name) => openWith({}, place, name);

/** The same, set to notice the death of a worker as soon as it sensibly can: by its defaults both are 30 s. */
export const openTunedBullmq: OpenQueuePeer = (place, name) =>
  openWith({ lockDuration: 1000, stalledInterval: 1000 }, place, name);

async function openWith(
  noticing: { readonly lockDuration?: number; readonly stalledInterval?: number },
  place: Place,
  name = 'bench',
): Promise<OpenQueue> {
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
      const worker = new Worker<Payload>(name, async (job) => handler(job.data), {
        ...noticing,
        connection: client,
        concurrency,
      });
      await worker.waitUntilReady();
      return { stop: () => worker.close() };
    },
    close: async () => {
      await queue.close();
      for (const client of clients) client.disconnect();
    },
  };
}
