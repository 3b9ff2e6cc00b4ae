import { backlogFor, deliverAll, drain, fill } from '../backlog.js';
import { confirmedDurability } from '../durability.js';
import { startLatencyProxy } from '../latency-proxy.js';
import { payload, payloadBytes } from '../payload.js';
import { queuePeers } from '../peers.js';
import { type Place, urlOf } from '../place.js';
import { pump } from '../pump.js';
import type { Scenario } from '../scenario.js';

const roundTripMs = 1;
const concurrency = 100;
const inFlight = 64;
const peers = ['millrace', 'bullmq', 'ioredis', 'ceiling'];

/** As queue.publish.awaited and queue.process.100, with Redis a millisecond away: another zone of the same region. */
export const queueRtt: readonly Scenario[] = [
  {
    name: 'queue.rtt.publish',
    what: `as queue.publish.awaited, with ${roundTripMs} ms more of round trip to Redis`,
    results: [{ name: 'queue.rtt.publish', unit: 'messages/s', better: 'more' }],
    subjects: queuePeers(async (place, open, subject) => {
      const queue = await open(await farAway(place));
      const pumped = await pump((index) => queue.publish(payload(index)), { inFlight, ...place });
      const delivery = await deliverAll(queue, pumped.calls);
      return {
        values: { 'queue.rtt.publish': pumped.count / pumped.seconds },
        settings: {
          payloadBytes,
          inFlight: pumped.inFlight,
          roundTripMs,
          durability: await confirmedDurability(place, subject),
        },
        messages: pumped.count,
        seconds: pumped.seconds,
        delivery,
      };
    }, peers),
  },
  {
    name: 'queue.rtt.process',
    what: `as queue.process.100, with ${roundTripMs} ms more of round trip to Redis`,
    results: [{ name: 'queue.rtt.process', unit: 'messages/s', better: 'more' }],
    subjects: queuePeers(async (place, open, subject) => {
      const queue = await open(await farAway(place));
      const count = await backlogFor(queue, place, { concurrency });
      await fill(queue, count);
      const { messages, seconds, stop } = await drain(queue, { count, concurrency });
      const delivery = await stop();
      return {
        values: { 'queue.rtt.process': messages / seconds },
        settings: { payloadBytes, concurrency, roundTripMs, durability: await confirmedDurability(place, subject) },
        messages,
        seconds,
        delivery,
      };
    }, peers),
  },
];

async function farAway(place: Place): Promise<Place> {
  const { url } = await startLatencyProxy({ targetUrl: urlOf(place, 'redis'), delayMs: roundTripMs });
  return { ...place, redisUrl: url };
}
