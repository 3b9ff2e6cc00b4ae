import { deliverAll } from '../backlog.js';
import { confirmedDurability } from '../durability.js';
import { payload, payloadBytes } from '../payload.js';
import { queuePeers } from '../peers.js';
import type { Place } from '../place.js';
import { pump } from '../pump.js';
import type { OpenQueuePeer } from '../queue-peer.js';
import type { Sample, Scenario } from '../scenario.js';

// The pattern of a scenario: what it is called, what it promises, and a function that measures one subject once. The
// function runs in a process of its own, on a fresh server; rounds, alternation, medians and ratios are the runner's.

const name = 'queue.publish.awaited';

export const queuePublishAwaited: Scenario = {
  name,
  what: '64 callers publish one message each and await the confirmation before the next',
  results: [
    { name, unit: 'messages/s', better: 'more', targets: { bullmq: { atLeast: 4 }, ceiling: { atLeast: 0.6 } } },
  ],
  subjects: queuePeers(measure),
};

async function measure(place: Place, open: OpenQueuePeer, subject: string): Promise<Sample> {
  const queue = await open(place);
  const pumped = await pump((index) => queue.publish(payload(index)), { inFlight: 64, ...place });
  const delivery = await deliverAll(queue, pumped.calls);
  await queue.close();
  return {
    values: { [name]: pumped.count / pumped.seconds },
    settings: { payloadBytes, inFlight: pumped.inFlight, durability: await confirmedDurability(place, subject) },
    messages: pumped.count,
    seconds: pumped.seconds,
    delivery,
  };
}
