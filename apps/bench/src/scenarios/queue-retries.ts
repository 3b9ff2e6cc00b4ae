import { backlogFor, drain, fill } from '../backlog.js';
import { confirmedDurability } from '../durability.js';
import { type Payload, payloadBytes } from '../payload.js';
import { queuePeers } from '../peers.js';
import { retry } from '../queue-peer.js';
import type { Scenario } from '../scenario.js';

const name = 'queue.retries';
const concurrency = 100;

export const queueRetries: Scenario = {
  name,
  what: `every hundredth message fails once and is retried after ${retry.delayMs} ms; timed until the last has succeeded`,
  results: [{ name, unit: 'messages/s', better: 'more', targets: { bullmq: { atLeast: 4 } } }],
  subjects: queuePeers(
    async (place, open, subject) => {
      const queue = await open(place);
      const count = await backlogFor(queue, place, { concurrency });
      await fill(queue, count);
      const failed = new Set<number>();
      const handler = ({ id }: Payload): void => {
        if (id % 100 !== 0 || failed.has(id)) return;
        failed.add(id);
        throw new Error('fails once');
      };
      const { messages, seconds, stop } = await drain(queue, { count, concurrency, handler });
      const delivery = await stop();
      return {
        values: { [name]: messages / seconds },
        settings: {
          payloadBytes,
          concurrency,
          failing: '1 %',
          retryDelayMs: retry.delayMs,
          durability: await confirmedDurability(place, subject),
        },
        messages,
        seconds,
        delivery,
      };
    },
    ['millrace', 'bullmq', 'bee-queue'],
  ),
};
