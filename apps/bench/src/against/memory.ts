import { deliverAll, fill } from '../backlog.js';
import { type Delivery, sumOf } from '../delivery-ledger.js';
import { confirmedDurability } from '../durability.js';
import { payload, payloadBytes } from '../payload.js';
import type { Sample, Scenario } from '../scenario.js';
import { usedMemoryOf } from '../used-memory.js';
import { type OpenSide, openBoth, type Side } from './sides.js';

/** What a waiting message takes of Redis' memory in this build, divided by what it takes in the other. */
export function memoryAgainst(name: string, what: string, open: OpenSide): Scenario {
  return {
    name,
    what: `${what}, this build divided by the other`,
    results: [{ name, unit: 'times', better: 'less', targets: { ours: { atMost: 1 } } }],
    subjects: {
      millrace: async (place): Promise<Sample> => {
        const start = performance.now();
        const count = place.quick ? 10_000 : 100_000;
        const bytes = new Map<Side, number>();
        const deliveries: Delivery[] = [];
        for (const [side, source] of await openBoth(place, open)) {
          await source.publish(payload(0));
          bytes.set(side, await usedMemoryOf(place, () => fill(source, count, { firstId: 1 })));
          deliveries.push(await deliverAll(source, count + 1));
          await source.close();
        }
        return {
          values: { [name]: (bytes.get('ours') ?? Number.NaN) / (bytes.get('theirs') ?? Number.NaN) },
          settings: { payloadBytes, count, durability: await confirmedDurability(place, 'millrace') },
          messages: 2 * count,
          seconds: (performance.now() - start) / 1000,
          delivery: sumOf(deliveries),
        };
      },
    },
  };
}
