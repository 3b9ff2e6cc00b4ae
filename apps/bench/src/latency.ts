import { preciseNow } from './clock.js';
import { DeliveryLedger } from './delivery-ledger.js';
import { confirmedDurability } from './durability.js';
import { openLoop } from './open-loop.js';
import { type Payload, payload, payloadBytes } from './payload.js';
import type { Place } from './place.js';
import type { QueueHandler, RunningConsumer } from './queue-peer.js';
import type { Result, Sample } from './scenario.js';
import { percentile } from './statistics.js';

const perSecond = 500;
const shares = { p50: 0.5, p95: 0.95, p99: 0.99 } as const;
const concurrency = 10;
/** So many times the usual warm-up: V8 compiles what has run some thousand times, which takes longer where there are pauses. */
const warmUps = 4;

/** Something through which a message goes from a sender to a waiting handler. */
interface Way {
  publish(payload: Payload): Promise<unknown>;
  consume(handler: QueueHandler, options: { readonly concurrency: number }): Promise<RunningConsumer>;
}

export function latencyResults(name: string, targets: Readonly<Record<string, Result['targets']>>): Result[] {
  return Object.keys(shares).map((share) => {
    const wanted = targets[share];
    return {
      name: `${name}.${share}`,
      unit: 'ms',
      better: 'less',
      ...(wanted === undefined ? {} : { targets: wanted }),
    };
  });
}

/** From the call of publish to the start of the handler, at a fixed rate, the consumer idle in between. */
export async function measureLatency(name: string, way: Way, place: Place, subject: string): Promise<Sample> {
  const latencies: number[] = [];
  const warmUpCount = Math.round((place.warmUpMs * warmUps * perSecond) / 1000);
  const count = warmUpCount + Math.round((place.windowMs * 2 * perSecond) / 1000);
  const ledger = new DeliveryLedger();
  const consumer = await way.consume(
    ({ id, at }) => {
      if (ledger.note(id) && id >= warmUpCount) latencies.push(preciseNow() - at);
    },
    { concurrency },
  );
  let id = 0;
  const start = performance.now();
  await openLoop((at) => way.publish(payload(id++, at)), { perSecond, count });
  await ledger.until(count);
  const seconds = (performance.now() - start) / 1000;
  await consumer.stop();
  return {
    values: Object.fromEntries(
      Object.entries(shares).map(([p, share]) => [`${name}.${p}`, percentile(latencies, share)]),
    ),
    settings: { payloadBytes, perSecond, concurrency, durability: await confirmedDurability(place, subject) },
    messages: latencies.length,
    seconds,
    delivery: ledger.account(count),
  };
}
