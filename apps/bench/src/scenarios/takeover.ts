import { fill } from '../backlog.js';
import { sleep } from '../clock.js';
import { forkConsumer } from '../consumer-fork.js';
import { type Delivery, DeliveryLedger, sumOf } from '../delivery-ledger.js';
import { confirmedDurability } from '../durability.js';
import { payloadBytes } from '../payload.js';
import { queuePeers } from '../peers.js';
import type { Place } from '../place.js';
import type { OpenQueue, OpenQueuePeer } from '../queue-peer.js';
import type { Sample, Scenario } from '../scenario.js';
import { median } from '../statistics.js';

const name = 'takeover';
const held = 100;
/** BullMQ needs a minute by its defaults. */
const stalledAfterMs = 180_000;

export const takeover: Scenario = {
  name,
  what: `a consumer process that holds ${held} messages is killed with SIGKILL: until the last of them is handled by another consumer, which is there already; the median of several kills. bullmq-tuned looks for stalled jobs, and lets a lock end, after 1 s instead of 30`,
  results: [
    {
      name,
      unit: 'ms',
      better: 'less',
      targets: { ours: { atMost: 2000 }, bullmq: { atMost: 0.05 }, 'bullmq-tuned': { atMost: 1 } },
    },
  ],
  subjects: queuePeers(measure, ['millrace', 'bullmq', 'bullmq-tuned', 'bee-queue', 'rabbitmq']),
  notWhenQuick: ['bullmq'],
};

async function measure(place: Place, open: OpenQueuePeer, subject: string): Promise<Sample> {
  const queue = await open(place);
  const kills = subject === 'bullmq' ? 1 : place.quick ? 2 : 5;
  const times: number[] = [];
  const deliveries: Delivery[] = [];
  for (let kill = 0; kill < kills; kill++) {
    const { ms, delivery } = await killOne(place, queue, subject);
    times.push(ms);
    deliveries.push(delivery);
  }
  await queue.close().catch(() => undefined);
  return {
    values: { [name]: median(times) },
    settings: { payloadBytes, held, durability: await confirmedDurability(place, subject) },
    messages: held * kills,
    seconds: times.reduce((sum, ms) => sum + ms, 0) / 1000,
    delivery: sumOf(deliveries),
  };
}

/** What the killed one began does not count as handled: each message has its one delivery elsewhere. */
async function killOne(place: Place, queue: OpenQueue, subject: string): Promise<{ ms: number; delivery: Delivery }> {
  const victim = forkConsumer(subject, place, { concurrency: held, neverEnds: true });
  let begun = 0;
  const holdsAll = new Promise<void>((resolve, reject) => {
    victim.ended.catch(reject);
    victim.onHandled((more) => {
      begun += more;
      if (begun === held) resolve();
    });
  });
  await fill(queue, held);
  await holdsAll;
  const ledger = new DeliveryLedger();
  const survivor = await queue.consume(({ id }) => void ledger.note(id), { concurrency: held });
  // Whatever looks for the dead now and then is met at any point of its interval.
  await sleep(300 + Math.random() * 1000);
  const start = performance.now();
  victim.kill();
  await ledger.until(held, { stalledAfterMs });
  const ms = performance.now() - start;
  await survivor.stop();
  return { ms, delivery: ledger.account(held) };
}
