import { sleep } from '../clock.js';
import { DeliveryLedger } from '../delivery-ledger.js';
import { confirmedDurability } from '../durability.js';
import { payloadBytes, payloads } from '../payload.js';
import { queuePeers } from '../peers.js';
import type { Place } from '../place.js';
import type { OpenQueuePeer } from '../queue-peer.js';
import type { Sample, Scenario } from '../scenario.js';
import { median } from '../statistics.js';

const name = 'burst';
const concurrency = 100;
const size = 10_000;
/** Between two bursts: the consumer has nothing left, and waits. */
const restMs = 200;

export const burst: Scenario = {
  name,
  what: `${size.toLocaleString('en-US')} messages are published in one call into an empty queue whose consumer waits: until the last is handled, and until the first is; the median of several bursts`,
  results: [
    { name, unit: 'ms', better: 'less', targets: { bullmq: { atMost: 0.2 } } },
    { name: `${name}.first`, unit: 'ms', better: 'less' },
  ],
  subjects: queuePeers((place, open, subject) => measureBurst(place, open, subject)),
};

export async function measureBurst(
  place: Place,
  open: OpenQueuePeer,
  subject: string,
  { stalledAfterMs }: { readonly stalledAfterMs?: number } = {},
): Promise<Sample> {
  const queue = await open(place);
  const ledger = new DeliveryLedger();
  let firstAt: number | undefined;
  const consumer = await queue.consume(
    ({ id }) => {
      firstAt ??= performance.now();
      ledger.note(id);
    },
    { concurrency },
  );
  const [warmUps, bursts] = place.quick ? [1, 2] : [2, 5];
  const toFirst: number[] = [];
  const toLast: number[] = [];
  let sent = 0;
  for (let number = 0; number < warmUps + bursts; number++) {
    await sleep(restMs);
    const batch = payloads(size, sent);
    firstAt = undefined;
    const start = performance.now();
    const published = queue.publishBatch(batch);
    sent += size;
    await ledger.until(sent, { stalledAfterMs });
    const lastAt = performance.now();
    await published;
    if (number < warmUps) continue;
    toLast.push(lastAt - start);
    toFirst.push((firstAt ?? lastAt) - start);
  }
  await consumer.stop();
  const delivery = ledger.account(sent);
  await queue.close().catch(() => undefined);
  return {
    values: { [name]: median(toLast), [`${name}.first`]: median(toFirst) },
    settings: { payloadBytes, size, concurrency, durability: await confirmedDurability(place, subject) },
    messages: bursts * size,
    seconds: toLast.reduce((sum, ms) => sum + ms, 0) / 1000,
    delivery,
  };
}
