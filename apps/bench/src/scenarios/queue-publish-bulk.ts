import { batchSize, deliverAll } from '../backlog.js';
import { confirmedDurability } from '../durability.js';
import { payloadBytes, payloads } from '../payload.js';
import { queuePeers } from '../peers.js';
import { pump } from '../pump.js';
import type { Scenario } from '../scenario.js';

const name = 'queue.publish.bulk';

export const queuePublishBulk: Scenario = {
  name,
  what: `batches of ${batchSize} messages, each batch confirmed before the next is made`,
  results: [
    { name, unit: 'messages/s', better: 'more', targets: { bullmq: { atLeast: 10 }, ceiling: { atLeast: 0.6 } } },
  ],
  subjects: queuePeers(async (place, open, subject) => {
    const queue = await open(place);
    const { count, seconds, calls, inFlight } = await pump(
      (index) => queue.publishBatch(payloads(batchSize, index * batchSize)),
      { inFlight: 1, ...place },
    );
    const delivery = await deliverAll(queue, calls * batchSize);
    await queue.close();
    return {
      values: { [name]: (count * batchSize) / seconds },
      settings: {
        payloadBytes,
        batch: batchSize,
        batchesInFlight: inFlight,
        durability: await confirmedDurability(place, subject),
      },
      messages: count * batchSize,
      seconds,
      delivery,
    };
  }),
};
