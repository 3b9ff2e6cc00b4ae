import { batchSize, deliverAll, fill } from '../backlog.js';
import { confirmedDurability } from '../durability.js';
import { payload, payloadBytes } from '../payload.js';
import { logPeers } from '../peers.js';
import type { Scenario } from '../scenario.js';
import { usedMemoryOf } from '../used-memory.js';

export const logMemory: readonly Scenario[] = (['none', 'zlib'] as const).map((compression) => {
  const name = compression === 'none' ? 'log.memory' : 'log.memory.compressed';
  return {
    name,
    what: `bytes of Redis that a record takes, sent in batches of ${batchSize}${compression === 'none' ? '' : `, compressed with ${compression}`}`,
    results: [
      {
        name,
        unit: 'bytes/record',
        better: 'less',
        targets: { ioredis: { atMost: compression === 'none' ? 1 : 0.5 } },
      },
    ],
    subjects: logPeers(
      async (place, open, subject) => {
        const log = await open(place, { compression });
        await log.publish(payload(0));
        const count = place.quick ? 10_000 : 100_000;
        const start = performance.now();
        const bytes = await usedMemoryOf(place, () => fill(log, count, { firstId: 1 }));
        const seconds = (performance.now() - start) / 1000;
        const delivery = await deliverAll(log, count + 1);
        return {
          values: { [name]: bytes / count },
          settings: { payloadBytes, batch: batchSize, count, durability: await confirmedDurability(place, subject) },
          messages: count,
          seconds,
          delivery,
        };
      },
      ['millrace', 'ioredis'],
    ),
  };
});
