import { fill } from '../backlog.js';
import { sleep } from '../clock.js';
import { type ConsumerProcess, forkConsumer } from '../consumer-fork.js';
import { type Delivery, DeliveryLedger } from '../delivery-ledger.js';
import { confirmedDurability } from '../durability.js';
import { payloadBytes } from '../payload.js';
import { queuePeers } from '../peers.js';
import type { Place } from '../place.js';
import type { Scenario } from '../scenario.js';

const processes = 4;
const concurrency = 25;
const name = `queue.processes.${processes}`;
/** What is missing and has not come in so long is lost. */
const stallMs = 5_000;

export const queueProcesses: Scenario = {
  name,
  what: `${processes} consumer processes with concurrency ${concurrency} each empty one queue together`,
  results: [{ name, unit: 'messages/s', better: 'more', targets: { bullmq: { atLeast: 4 } } }],
  subjects: queuePeers(
    async (place, open, subject) => {
      const queue = await open(place);
      const count = fastOnes.includes(subject) ? (place.quick ? 100_000 : 200_000) : place.quick ? 2_500 : 20_000;
      await fill(queue, count);
      const { messages, seconds, delivery } = await drainTogether(place, subject, count);
      await queue.close().catch(() => undefined);
      return {
        values: { [name]: messages / seconds },
        settings: { payloadBytes, processes, concurrency, durability: await confirmedDurability(place, subject) },
        messages,
        seconds,
        delivery,
      };
    },
    ['millrace', 'ceiling', 'bullmq', 'ioredis', 'rabbitmq'],
  ),
};

// They would be done before the last process has started.
const fastOnes = ['millrace', 'ceiling'];

/** Timed from the moment when all have handled something and a fifth of the whole is done. */
async function drainTogether(place: Place, subject: string, count: number) {
  let handled = 0;
  let start: { readonly at: number; readonly handled: number } | undefined;
  const active = new Set<number>();
  const consumers = Array.from({ length: processes }, () => forkConsumer(subject, place, { concurrency }));
  const end = await new Promise<number>((resolve, reject) => {
    for (const [index, consumer] of consumers.entries()) {
      consumer.ended.catch(reject);
      consumer.onHandled((more) => {
        const now = performance.now();
        handled += more;
        active.add(index);
        if (start === undefined && active.size === processes && handled >= count / 5) start = { at: now, handled };
        if (handled >= count) resolve(now);
      });
    }
  });
  const delivery = await accountOf(consumers, count);
  if (start === undefined) throw new Error(`all was handled before the last of ${processes} processes had started`);
  return { messages: count - start.handled, seconds: (end - start.at) / 1000, delivery };
}

/** Each message was handled by one of them. With duplicates there are more deliveries than messages: the last may still be on its way. */
async function accountOf(consumers: readonly ConsumerProcess[], count: number): Promise<Delivery> {
  for (let before = -1; ; ) {
    const ledger = new DeliveryLedger();
    for (const consumer of consumers) ledger.add(await consumer.pages());
    if (ledger.handled >= count || ledger.handled === before) return ledger.account(count);
    before = ledger.handled;
    await sleep(stallMs);
  }
}
