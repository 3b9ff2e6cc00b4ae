import { latencyResults, measureLatency } from '../latency.js';
import { logPeers } from '../peers.js';
import type { Scenario } from '../scenario.js';

const name = 'log.latency';

export const logLatency: Scenario = {
  name,
  what: 'from the call of send to the start of the handler, 500 records a second (open loop), the consumer idle in between',
  results: latencyResults(name, {}),
  subjects: logPeers(async (place, open, subject) => {
    const log = await open(place);
    const sample = await measureLatency(name, log, place, subject);
    await log.close().catch(() => undefined);
    return sample;
  }),
};
