import { type Delivery, DeliveryLedger } from './delivery-ledger.js';
import { type Payload, payloads } from './payload.js';
import type { Place } from './place.js';
import type { OpenQueue, QueueHandler } from './queue-peer.js';

/** Messages a bulk call: what every scenario fills its queue with, and `queue.publish.bulk` measures. */
export const batchSize = 500;
const batchesInFlight = 4;

/** Puts that many messages into a queue, four batches in flight; their ids begin with `firstId` (default 0). */
export async function fill(
  queue: Pick<OpenQueue, 'publishBatch'>,
  count: number,
  { firstId = 0 }: { readonly firstId?: number } = {},
): Promise<void> {
  let next = firstId;
  const end = firstId + count;
  const lane = async (): Promise<void> => {
    while (next < end) {
      const first = next;
      next = Math.min(end, first + batchSize);
      await queue.publishBatch(payloads(next - first, first));
    }
  };
  await Promise.all(Array.from({ length: batchesInFlight }, lane));
}

interface Timed {
  readonly messages: number;
  readonly seconds: number;
}

export interface Drained extends Timed {
  /** Stops the consumer and accounts for every message. @throws {Error} that names what was lost */
  stop(): Promise<Delivery>;
}

/** Where a queue or a log can be drained from. */
export interface Drainable {
  consume(handler: QueueHandler, options: { readonly concurrency: number }): Promise<{ stop(): Promise<void> }>;
}

export interface DrainOptions {
  /** How many wait: ids 0 … `count` − 1. */
  readonly count: number;
  readonly concurrency: number;
  /** Default: does nothing. One that throws has its message noted when it succeeds. */
  readonly handler?: QueueHandler | undefined;
  /** Without a delivery for so long, what is missing is lost. Default 30 s. */
  readonly stalledAfterMs?: number | undefined;
}

/**
 * Handles all messages that wait, and times them without the first quarter: connections, scripts and the JIT are warm by then.
 *
 * @throws {Error} that names what was lost
 */
export async function drain(queue: Drainable, options: DrainOptions): Promise<Drained> {
  const ledger = new DeliveryLedger();
  const { stop, ...drained } = await drainSome(queue, ledger, options);
  return { ...drained, stop: () => stop().then(() => ledger.account(options.count)) };
}

/** As `drain`, of a queue in which more may wait than the `count` messages that are timed. Notes every delivery in the ledger. */
export async function drainSome(
  queue: Drainable,
  ledger: DeliveryLedger,
  { count, concurrency, handler, stalledAfterMs }: DrainOptions,
): Promise<Timed & { stop(): Promise<void> }> {
  const skipped = Math.floor(count / 4);
  const first = ledger.handled + skipped;
  const last = ledger.handled + count;
  let startedAt = performance.now();
  let endedAt = 0;
  const note = ({ id }: Payload): void => {
    if (!ledger.note(id)) return;
    if (ledger.handled === first) startedAt = performance.now();
    else if (ledger.handled === last) endedAt = performance.now();
  };
  const noted: QueueHandler =
    handler === undefined
      ? note
      : async (message) => {
          await handler(message);
          note(message);
        };
  const consumer = await queue.consume(noted, { concurrency });
  await ledger.until(last, { stalledAfterMs });
  return { messages: count - skipped, seconds: (endedAt - startedAt) / 1000, stop: () => consumer.stop() };
}

/** Handles what was published, after something else was measured with it, and accounts for every message. */
export async function deliverAll(queue: Drainable, count: number): Promise<Delivery> {
  const { stop } = await drain(queue, { count, concurrency: 100 });
  return stop();
}

/** Messages a second. */
const fast = 10_000;
const fewestForFast = 50_000;
/** So many windows of work: a cold trial finds too low a rate, and the first quarter is not counted. */
const windows = 2.6;
/** A second and more of the fastest: with less it would be measured while it is compiled. */
const mostBacklog = 1_000_000;
const mostBacklogWhenQuick = 50_000;

/**
 * How many messages keep a consumer busy for the window: found by draining a few. A slow subject gets fewer, so that a
 * run ends the same day; the size of the sample is told with it.
 */
export async function backlogFor(
  queue: Omit<OpenQueue, 'publishDelayed'>,
  place: Place,
  options: { concurrency: number; handler?: QueueHandler },
) {
  const rateOf = async (count: number): Promise<number> => {
    await fill(queue, count);
    const { messages, seconds, stop } = await drain(queue, { count, ...options });
    await stop();
    return messages / Math.max(seconds, 0.001);
  };
  let least = options.concurrency === 1 ? 500 : place.quick ? 1000 : 3000;
  let rate = await rateOf(least);
  if (rate > fast) {
    // It was only getting warm. A quick run takes it as it is: it shows the order of things.
    least = place.quick ? fewestForFast / 5 : fewestForFast;
    if (!place.quick) rate = await rateOf(least);
  }
  const wanted = (rate * windows * place.windowMs) / 1000;
  return Math.round(Math.min(place.quick ? mostBacklogWhenQuick : mostBacklog, Math.max(least, wanted)));
}
