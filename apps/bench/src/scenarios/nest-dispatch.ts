import { backlogFor, drain, fill } from '../backlog.js';
import { confirmedDurability } from '../durability.js';
import { payloadBytes } from '../payload.js';
import type { Place } from '../place.js';
import type { OpenQueue } from '../queue-peer.js';
import type { Sample, Scenario } from '../scenario.js';

const name = 'nest.dispatch';
const concurrency = 100;

export const nestDispatch: Scenario = {
  name,
  what: 'as queue.process.100 in a Nest application, ours with one pipe and one interceptor, BullMQ with a plain processor (it has neither); the ceiling is our consumer without Nest',
  results: [
    {
      name,
      unit: 'messages/s',
      better: 'more',
      targets: { 'nestjs-bullmq': { atLeast: 5 }, ceiling: { atLeast: 0.6 } },
    },
  ],
  subjects: {
    millrace: async (place) =>
      measure(place, await (await import('../peers/millrace-nest.js')).openMillraceNest(place), 'millrace'),
    ceiling: async (place) =>
      measure(place, await (await import('../peers/millrace-queue.js')).openMillraceQueue(place), 'ceiling'),
    'nestjs-bullmq': async (place) =>
      measure(place, await (await import('../peers/nestjs-bullmq.js')).openNestjsBullmq(place), 'nestjs-bullmq'),
  },
};

async function measure(place: Place, queue: OpenQueue, subject: string): Promise<Sample> {
  const count = await backlogFor(queue, place, { concurrency });
  await fill(queue, count);
  const { messages, seconds } = await drain(queue, { count, concurrency });
  return {
    values: { [name]: messages / seconds },
    settings: { payloadBytes, concurrency, durability: await confirmedDurability(place, subject) },
    messages,
    seconds,
  };
}
