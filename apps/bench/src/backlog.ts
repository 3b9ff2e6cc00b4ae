import { payloads } from './payload.js';
import type { Place } from './place.js';
import type { OpenQueue, QueueHandler } from './queue-peer.js';

/** Messages a bulk call: what every scenario fills its queue with, and `queue.publish.bulk` measures. */
export const batchSize = 500;

/** Puts that many messages into a queue, some batches at once. */
export async function fill(queue: Pick<OpenQueue, 'publishBatch'>, count: number, batchesInFlight = 4): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const first = next;
      next = Math.min(count, first + batchSize);
      await queue.publishBatch(payloads(next - first, first));
    }
  };
  await Promise.all(Array.from({ length: batchesInFlight }, lane));
}

export interface Drained {
  readonly messages: number;
  readonly seconds: number;
}

/** Where a queue or a log can be drained from. */
export interface Drainable {
  consume(handler: QueueHandler, options: { readonly concurrency: number }): Promise<{ stop(): Promise<void> }>;
}

/**
 * Handles `count` messages that wait, and times them without the first quarter: connections, scripts and the JIT are warm
 * by then. The default handler does nothing; a handler that throws has its message counted when it succeeds.
 */
export async function drain(
  queue: Drainable,
  { count, concurrency, handler }: { count: number; concurrency: number; handler?: QueueHandler },
): Promise<Drained & { stop(): Promise<void> }> {
  const skipped = Math.floor(count / 4);
  let handled = 0;
  let startedAt = 0;
  let endedAt = 0;
  let finish: () => void = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const tick = (): void => {
    handled++;
    if (handled === skipped) startedAt = performance.now();
    if (handled !== count) return;
    endedAt = performance.now();
    finish();
  };
  const counted: QueueHandler =
    handler === undefined
      ? tick
      : async (message) => {
          await handler(message);
          tick();
        };
  const consumer = await queue.consume(counted, { concurrency });
  await finished;
  return { messages: count - skipped, seconds: (endedAt - startedAt) / 1000, stop: () => consumer.stop() };
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
