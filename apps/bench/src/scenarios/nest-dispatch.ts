import { backlogFor, batchSize, drain, fill } from '../backlog.js';
import { confirmedDurability } from '../durability.js';
import { payloadBytes } from '../payload.js';
import type { Place } from '../place.js';
import type { OpenQueue } from '../queue-peer.js';
import type { Sample, Scenario, Settings } from '../scenario.js';

const concurrency = 100;

const queue: Scenario = {
  name: 'nest.dispatch',
  what: 'as queue.process.100 in a Nest application, ours with one pipe and one interceptor, BullMQ with a plain processor (it has neither); the ceiling is our consumer without Nest',
  results: [
    {
      name: 'nest.dispatch',
      unit: 'messages/s',
      better: 'more',
      targets: { 'nestjs-bullmq': { atLeast: 5 }, ceiling: { atLeast: 0.6 } },
    },
  ],
  subjects: {
    millrace: async (place) =>
      measureQueue(place, await (await import('../peers/millrace-nest.js')).openMillraceNest(place), 'millrace'),
    ceiling: async (place) =>
      measureQueue(place, await (await import('../peers/millrace-queue.js')).openMillraceQueue(place), 'ceiling'),
    'nestjs-bullmq': async (place) =>
      measureQueue(place, await (await import('../peers/nestjs-bullmq.js')).openNestjsBullmq(place), 'nestjs-bullmq'),
  },
};

const log: Scenario = {
  name: 'nest.dispatch.log',
  what: 'as log.consume in a Nest application, concurrency 100, ours with one pipe and one interceptor; the ceiling is our consumer without Nest',
  results: [{ name: 'nest.dispatch.log', unit: 'records/s', better: 'more', targets: { ceiling: { atLeast: 0.6 } } }],
  subjects: {
    millrace: async (place) =>
      measureLog(place, await (await import('../peers/millrace-nest.js')).openMillraceNestLog(place), 'millrace'),
    ceiling: async (place) =>
      measureLog(place, await (await import('../peers/millrace-log.js')).openMillraceLog(place), 'ceiling'),
  },
};

/** What Nest's way to a handler costs, on both kinds of source. */
export const nestDispatch: readonly Scenario[] = [queue, log];

function measureQueue(place: Place, queue: OpenQueue, subject: string): Promise<Sample> {
  return measure(place, queue, { name: 'nest.dispatch', subject, settings: { concurrency } });
}

function measureLog(place: Place, log: OpenQueue, subject: string): Promise<Sample> {
  const settings = { concurrency, batch: batchSize, partitions: 1 };
  return measure(place, log, { name: 'nest.dispatch.log', subject, settings });
}

async function measure(
  place: Place,
  source: OpenQueue,
  { name, subject, settings }: { name: string; subject: string; settings: Settings },
): Promise<Sample> {
  const count = await backlogFor(source, place, { concurrency });
  await fill(source, count);
  const { messages, seconds, stop } = await drain(source, { count, concurrency });
  const delivery = await stop();
  return {
    values: { [name]: messages / seconds },
    settings: { payloadBytes, ...settings, durability: await confirmedDurability(place, subject) },
    messages,
    seconds,
    delivery,
  };
}
