import { backlogFor, drain, fill } from '../backlog.js';
import { confirmedDurability } from '../durability.js';
import { payloadBytes } from '../payload.js';
import { queuePeers } from '../peers.js';
import type { Scenario } from '../scenario.js';

/** One consumer with a handler that does nothing, on a queue that was filled before. */
export const queueProcess: readonly Scenario[] = [1, 10, 100].map((concurrency) => {
  const name = `queue.process.${concurrency}`;
  return {
    name,
    what: `one consumer with concurrency ${concurrency} and a no-op handler empties a queue; every message is settled`,
    results: [{ name, unit: 'messages/s', better: 'more', targets: targets(concurrency) }],
    subjects: queuePeers(async (place, open, subject) => {
      const queue = await open(place);
      const count = await backlogFor(queue, place, { concurrency });
      await fill(queue, count);
      const { messages, seconds, stop } = await drain(queue, { count, concurrency });
      const delivery = await stop();
      await queue.close().catch(() => undefined);
      return {
        values: { [name]: messages / seconds },
        settings: { payloadBytes, concurrency, durability: await confirmedDurability(place, subject) },
        messages,
        seconds,
        delivery,
      };
    }),
  };
});

function targets(concurrency: number) {
  const ofCeiling = { ceiling: { atLeast: 0.6 } };
  return concurrency === 100 ? { bullmq: { atLeast: 10 }, rabbitmq: { atLeast: 4 }, ...ofCeiling } : ofCeiling;
}
