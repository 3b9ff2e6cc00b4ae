import type { OpenLogPeer } from './log-peer.js';
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

/** Settings of a queue above: only the scenarios that they are for name them. */
const variants: typeof queues = {
  'bullmq-tuned': async () => (await import('./peers/bullmq.js')).openTunedBullmq,
};

/** Opens a queue of the named make. */
export async function openQueue(subject: string, place: Place, name?: string) {
  const open = await (queues[subject] ?? variants[subject])?.();
  if (open === undefined) throw new Error(`there is no queue peer "${subject}"`);
  return open(place, name);
}

const logs: Readonly<Record<string, () => Promise<OpenLogPeer>>> = {
  millrace: async () => (await import('./peers/millrace-log.js')).openMillraceLog,
  ceiling: async () => (await import('./peers/ceiling-log.js')).openCeilingLog,
  ioredis: async () => (await import('./peers/ioredis-stream.js')).openIoredisStream,
  nats: async () => (await import('./peers/nats.js')).openNatsLog,
  kafka: async () => (await import('./peers/kafka.js')).openKafka,
};

type MeasurePeer<Open> = (place: Place, open: Open, subject: string) => Promise<Sample>;
type Subjects = Readonly<Record<string, Measure>>;

/** The same measurement for every queue, or for the named ones. */
export function queuePeers(measure: MeasurePeer<OpenQueuePeer>, names = Object.keys(queues)): Subjects {
  return peers({ ...queues, ...variants }, measure, names);
}

/** The same measurement for every log, or for the named ones. */
export function logPeers(measure: MeasurePeer<OpenLogPeer>, names = Object.keys(logs)): Subjects {
  return peers(logs, measure, names);
}

function peers<Open>(
  known: Readonly<Record<string, () => Promise<Open>>>,
  measure: MeasurePeer<Open>,
  names: readonly string[],
): Subjects {
  return Object.fromEntries(
    names.map((name) => {
      const load = known[name];
      if (load === undefined) throw new Error(`there is no peer "${name}"`);
      const measurePeer: Measure = async (place) => measure(place, await load(), name);
      return [name, measurePeer];
    }),
  );
}
