import { deliverAll, fill } from '../backlog.js';
import { confirmedDurability } from '../durability.js';
import { payload, payloadBytes } from '../payload.js';
import { queuePeers } from '../peers.js';
import type { Scenario } from '../scenario.js';
import { usedMemoryOf } from '../used-memory.js';

const name = 'queue.memory';

export const queueMemory: Scenario = {
  name,
  what: 'bytes of Redis that a waiting message takes, its 100 bytes of body included',
  results: [{ name, unit: 'bytes/message', better: 'less', targets: { bullmq: { atMost: 0.35 } } }],
  subjects: queuePeers(
    async (place, open, subject) => {
      const queue = await open(place);
      await queue.publish(payload(0));
      const count = place.quick ? 5_000 : 100_000;
      const start = performance.now();
      const bytes = await usedMemoryOf(place, () => fill(queue, count, { firstId: 1 }));
      const seconds = (performance.now() - start) / 1000;
      const delivery = await deliverAll(queue, count + 1);
      return {
        values: { [name]: bytes / count },
        settings: { payloadBytes, count, durability: await confirmedDurability(place, subject) },
        messages: count,
        seconds,
        delivery,
      };
    },
    ['millrace', 'bullmq', 'groupmq', 'bee-queue', 'ioredis', 'ceiling'],
  ),
};
