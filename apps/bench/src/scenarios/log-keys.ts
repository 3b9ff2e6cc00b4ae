import { drain, fill } from '../backlog.js';
import { sleep } from '../clock.js';
import { confirmedDurability } from '../durability.js';
import type { LogLayout } from '../log-peer.js';
import { payloadBytes } from '../payload.js';
import { logPeers, queuePeers } from '../peers.js';
import type { Place } from '../place.js';
import type { OpenQueue } from '../queue-peer.js';
import type { Sample, Scenario } from '../scenario.js';

const name = 'log.keys';
const keys = 1000;
const handlerMs = 5;
const concurrency = 100;
const layout: LogLayout = { keyOf: ({ id }) => `k${id % keys}` };

export const logKeys: Scenario = {
  name,
  what: `${keys} keys on one partition, a handler of ${handlerMs} ms, the order of each key kept`,
  results: [{ name, unit: 'records/s', better: 'more', targets: { ioredis: { atLeast: 20 } } }],
  subjects: {
    ...logPeers(
      async (place, open, subject) => measure(place, await open(place, layout), subject),
      ['millrace', 'ioredis', 'kafka'],
    ),
    // A queue, but one that keeps the order of a group's jobs.
    ...queuePeers(async (place, open, subject) => measure(place, await open(place), subject), ['groupmq']),
  },
};

async function measure(place: Place, log: Omit<OpenQueue, 'publishDelayed'>, subject: string): Promise<Sample> {
  // What keeps order by handling one record after the other is slow, and needs few records to show it.
  const isOneByOne = subject === 'ioredis' || subject === 'kafka';
  const count = (place.quick ? 5_000 : 20_000) / (isOneByOne ? 50 : 1);
  await fill(log, count);
  const { messages, seconds, stop } = await drain(log, { count, concurrency, handler: () => sleep(handlerMs) });
  const delivery = await stop();
  return {
    values: { [name]: messages / seconds },
    settings: {
      payloadBytes,
      keys,
      handlerMs,
      order: 'of each key',
      durability: await confirmedDurability(place, subject),
    },
    messages,
    seconds,
    delivery,
  };
}
