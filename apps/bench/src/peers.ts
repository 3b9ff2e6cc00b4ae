import type { Place } from './place.js';
import type { OpenQueuePeer } from './queue-peer.js';
import type { Measure, Sample } from './scenario.js';

// Each is loaded only in the process that measures it.
const queues: Readonly<Record<string, () => Promise<OpenQueuePeer>>> = {
  millrace: async () => (await import('./peers/millrace-queue.js')).openMillraceQueue,
  ceiling: async () => (await import('./peers/ceiling-queue.js')).openCeilingQueue,
  bullmq: async () => (await import('./peers/bullmq.js')).openBullmq,
  groupmq: async () => (await import('./peers/groupmq.js')).openGroupmq,
  'bee-queue': async () => (await import('./peers/bee-queue.js')).openBeeQueue,
  ioredis: async () => (await import('./peers/ioredis-list.js')).openIoredisList,
  rabbitmq: async () => (await import('./peers/rabbitmq.js')).openRabbitmq,
  nats: async () => (await import('./peers/nats.js')).openNats,
};

export type QueuePeerName = keyof typeof queues;

/** Opens a queue of the named make. */
export async function openQueue(subject: string, place: Place, name?: string) {
  const open = await queues[subject]?.();
  if (open === undefined) throw new Error(`there is no queue peer "${subject}"`);
  return open(place, name);
}

/** The same measurement for every queue, or for the named ones. */
export function queuePeers(
  measure: (place: Place, open: OpenQueuePeer, subject: string) => Promise<Sample>,
  names: readonly string[] = Object.keys(queues),
): Readonly<Record<string, Measure>> {
  return Object.fromEntries(
    names.map((name) => {
      const measurePeer: Measure = async (place) => {
        const open = await queues[name]?.();
        if (open === undefined) throw new Error(`there is no queue peer "${name}"`);
        return measure(place, open, name);
      };
      return [name, measurePeer];
    }),
  );
}
