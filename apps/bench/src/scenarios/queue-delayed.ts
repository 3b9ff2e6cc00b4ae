import { preciseNow } from '../clock.js';
import { DeliveryLedger } from '../delivery-ledger.js';
import { confirmedDurability } from '../durability.js';
import { type Payload, payload, payloadBytes } from '../payload.js';
import { queuePeers } from '../peers.js';
import type { Place } from '../place.js';
import type { OpenQueuePeer } from '../queue-peer.js';
import type { Sample, Scenario } from '../scenario.js';
import { percentile } from '../statistics.js';

const name = 'queue.delayed';

/** 10,000 messages due within 10 s, at evenly spread times; a twentieth of it when quick. */
export const queueDelayed: Scenario = {
  name,
  what: '1,000 delayed messages become due every second; how late their handlers start, 99th percentile',
  results: [
    { name, unit: 'ms', better: 'less', targets: { ours: { atMost: 50 } } },
    { name: `${name}.p50`, unit: 'ms', better: 'less' },
    { name: `${name}.early`, unit: 'messages', better: 'less', targets: { ours: { atMost: 0 } } },
  ],
  // The others have no delay of their own. GroupMQ has; it was a minute behind at this rate, which would take the run with it.
  subjects: queuePeers(measure, ['millrace', 'bullmq', 'bee-queue']),
};

const perSecond = 1000;
const concurrency = 100;

async function measure(place: Place, open: OpenQueuePeer, subject: string): Promise<Sample> {
  const queue = await open(place);
  if (queue.publishDelayed === undefined) throw new Error(`${subject} cannot delay a message`);
  const count = place.quick ? perSecond / 2 : 10 * perSecond;
  // All are published before the first is due.
  const firstDue = preciseNow() + (place.quick ? 600 : 4000);
  const lateness: number[] = [];
  const ledger = new DeliveryLedger();
  const handler = ({ id, at }: Payload): void => {
    if (ledger.note(id)) lateness.push(preciseNow() - at);
  };
  const consumer = await queue.consume(handler, { concurrency });
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const due = firstDue + (next * 1000) / perSecond;
      const message = payload(next++, due);
      await queue.publishDelayed?.(message, Math.max(1, Math.ceil(due - preciseNow())));
    }
  };
  await Promise.all(Array.from({ length: 64 }, lane));
  const isInTime = preciseNow() < firstDue;
  await ledger.until(count);
  await consumer.stop();
  if (!isInTime)
    throw new Error('it took too long to publish: the first messages were due before the last was published');
  await queue.close().catch(() => undefined);
  return {
    values: {
      [name]: percentile(lateness, 0.99),
      [`${name}.p50`]: percentile(lateness, 0.5),
      // A millisecond is what the clocks of two processes and a whole number of ms may differ by.
      [`${name}.early`]: lateness.filter((late) => late < -1).length,
    },
    settings: {
      payloadBytes,
      count,
      duePerSecond: perSecond,
      concurrency,
      durability: await confirmedDurability(place, subject),
    },
    messages: count,
    seconds: count / perSecond,
    delivery: ledger.account(count),
  };
}
