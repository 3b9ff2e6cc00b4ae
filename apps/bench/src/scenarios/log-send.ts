import { batchSize, deliverAll } from '../backlog.js';
import { confirmedDurability } from '../durability.js';
import { payload, payloadBytes, payloads } from '../payload.js';
import { logPeers } from '../peers.js';
import { pump } from '../pump.js';
import type { Scenario } from '../scenario.js';

const inFlight = 256;
const awaited = 'log.send.awaited';
const batch = 'log.send.batch';

export const logSend: readonly Scenario[] = [
  {
    name: awaited,
    what: `${inFlight} callers send one record each to one partition and await its offset before the next`,
    results: [
      {
        name: awaited,
        unit: 'records/s',
        better: 'more',
        targets: { ioredis: { atLeast: 2 }, ceiling: { atLeast: 0.6 } },
      },
    ],
    subjects: logPeers(async (place, open, subject) => {
      const log = await open(place);
      const pumped = await pump((index) => log.publish(payload(index)), { inFlight, ...place });
      const delivery = await deliverAll(log, pumped.calls);
      await log.close();
      return {
        values: { [awaited]: pumped.count / pumped.seconds },
        settings: {
          payloadBytes,
          inFlight: pumped.inFlight,
          partitions: 1,
          durability: await confirmedDurability(place, subject),
        },
        messages: pumped.count,
        seconds: pumped.seconds,
        delivery,
      };
    }),
  },
  {
    name: batch,
    what: `batches of ${batchSize} records to one partition, each batch confirmed before the next is made`,
    results: [
      {
        name: batch,
        unit: 'records/s',
        better: 'more',
        targets: { ioredis: { atLeast: 3 }, ceiling: { atLeast: 0.6 } },
      },
    ],
    subjects: logPeers(async (place, open, subject) => {
      const log = await open(place);
      const { count, seconds, calls, inFlight } = await pump(
        (index) => log.publishBatch(payloads(batchSize, index * batchSize)),
        { inFlight: 1, ...place },
      );
      const delivery = await deliverAll(log, calls * batchSize);
      await log.close();
      return {
        values: { [batch]: (count * batchSize) / seconds },
        settings: {
          payloadBytes,
          batch: batchSize,
          batchesInFlight: inFlight,
          partitions: 1,
          durability: await confirmedDurability(place, subject),
        },
        messages: count * batchSize,
        seconds,
        delivery,
      };
    }),
  },
];
