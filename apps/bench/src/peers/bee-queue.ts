import BeeQueue from 'bee-queue';
import type { Payload } from '../payload.js';
import { urlOf } from '../place.js';
import { type OpenQueuePeer, retry } from '../queue-peer.js';

/** Bee-Queue as its README's benchmark runs it: no events, finished jobs removed, jobs not kept in the process. */
export const openBeeQueue: OpenQueuePeer = async (place, name = 'bench') => {
  const { hostname, port } = new URL(urlOf(place, 'redis'));
  const settings = {
    redis: { host: hostname, port: Number(port) },
    getEvents: false,
    sendEvents: false,
    storeJobs: false,
    removeOnSuccess: true,
    removeOnFailure: true,
  };
  const queue = new BeeQueue<Payload>(name, { ...settings, isWorker: false });
  await queue.ready();
  const job = (payload: Payload) => queue.createJob(payload).retries(retry.retries).backoff('fixed', retry.delayMs);
  return {
    publish: (payload) => job(payload).save(),
    publishBatch: async (payloads) => {
      const failures = await queue.saveAll(payloads.map(job));
      for (const failure of failures.values()) throw failure;
    },
    publishDelayed: (payload, delayMs) =>
      job(payload)
        .delayUntil(Date.now() + delayMs)
        .save(),
    consume: async (handler, { concurrency }) => {
      const worker = new BeeQueue<Payload>(name, { ...settings, activateDelayedJobs: true });
      await worker.ready();
      worker.process(concurrency, async (taken) => handler(taken.data));
      return { stop: () => worker.close(1000) };
    },
    close: () => queue.close(1000),
  };
};
