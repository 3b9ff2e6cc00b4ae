import { backlogFor, batchSize, drain, fill } from '../backlog.js';
import { confirmedDurability } from '../durability.js';
import { payloadBytes } from '../payload.js';
import { logPeers } from '../peers.js';
import type { Scenario } from '../scenario.js';

const name = 'log.consume';

export const logConsume: Scenario = {
  name,
  what: `a group of one member reads a partition whose records were sent in batches of ${batchSize}, with a no-op handler a record, and commits`,
  results: [
    { name, unit: 'records/s', better: 'more', targets: { ioredis: { atLeast: 3 }, ceiling: { atLeast: 0.6 } } },
  ],
  subjects: logPeers(async (place, open, subject) => {
    const log = await open(place);
    const concurrency = 16;
    const count = await backlogFor(log, place, { concurrency });
    await fill(log, count);
    const { messages, seconds, stop } = await drain(log, { count, concurrency });
    const delivery = await stop();
    await log.close().catch(() => undefined);
    return {
      values: { [name]: messages / seconds },
      settings: {
        payloadBytes,
        batch: batchSize,
        partitions: 1,
        durability: await confirmedDurability(place, subject),
      },
      messages,
      seconds,
      delivery,
    };
  }),
};
