import { Queue, Worker } from 'groupmq';
import { Redis } from 'ioredis';
import type { Payload } from '../payload.js';
import { urlOf } from '../place.js';
import { type OpenQueuePeer, retry } from '../queue-peer.js';

// A group is handled one at a time: enough groups that no concurrency of the scenarios is held back by them.
const groups = 1000;

/**
 * GroupMQ with its `autoBatch` as its documentation recommends for throughput (`add` resolves when its batch is stored).
 * It has no bulk call: a batch is many `add`s.
 */
export const openGroupmq: OpenQueuePeer = async (place, name = 'bench') => {
  const redis = new Redis(urlOf(place, 'redis'), { maxRetriesPerRequest: null });
  const queue = new Queue<Payload>({
    redis,
    namespace: name,
    autoBatch: { size: 64, maxWaitMs: 1 },
    schedulerLockTtlMs: 50,
  });
  const add = (data: Payload, delay?: number) =>
    queue.add({ groupId: `g${data.id % groups}`, data, maxAttempts: retry.retries + 1, ...(delay ? { delay } : {}) });
  return {
    publish: (payload) => add(payload),
    publishBatch: (payloads) => Promise.all(payloads.map((payload) => add(payload))),
    publishDelayed: (payload, delayMs) => add(payload, delayMs),
    consume: async (handler, { concurrency }) => {
      const worker = new Worker<Payload>({
        queue,
        concurrency,
        // What its documentation gives for delays of less than a second.
        schedulerIntervalMs: 10,
        backoff: () => retry.delayMs,
        handler: async (job) => handler(job.data),
      });
      void worker.run();
      return { stop: () => worker.close() };
    },
    close: async () => {
      await queue.close();
      redis.disconnect();
    },
  };
};
