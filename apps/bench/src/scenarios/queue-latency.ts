import { latencyResults, measureLatency } from '../latency.js';
import { queuePeers } from '../peers.js';
import type { Scenario } from '../scenario.js';

const name = 'queue.latency';

export const queueLatency: Scenario = {
  name,
  what: 'from the call of publish to the start of the handler, 500 messages a second (open loop), the consumer idle in between',
  results: latencyResults(name, {
    p50: { bullmq: { atMost: 0.5 } },
    p99: { bullmq: { atMost: 1 } },
  }),
  subjects: queuePeers(async (place, open, subject) => {
    const queue = await open(place);
    const sample = await measureLatency(name, queue, place, subject);
    await queue.close().catch(() => undefined);
    return sample;
  }),
};
