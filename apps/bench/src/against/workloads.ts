import { batchSize, drainSome, fill } from '../backlog.js';
import { type Delivery, DeliveryLedger } from '../delivery-ledger.js';
import { payload, payloads } from '../payload.js';
import type { RunningConsumer } from '../queue-peer.js';
import type { Source } from './sides.js';

/** Work that is done again and again in slices. */
export interface Workload {
  /** What a slice needs and is not measured. */
  prepare(): Promise<void>;
  /** The measured part. Returns the number of its messages. */
  run(): Promise<number>;
  /** Removes what the measured part left; not measured. */
  settle(): Promise<void>;
  /** Accounts for all messages. @throws {Error} that names what was lost */
  close(): Promise<Delivery>;
}

const concurrency = 100;
const nothing = async (): Promise<void> => {};

/** So many callers publish one message each and await its confirmation before the next. */
export function awaitedPublishes(source: Source, { count, callers }: { count: number; callers: number }): Workload {
  return publishes(source, async (first) => {
    let next = first;
    const caller = async (): Promise<void> => {
      while (next < first + count) await source.publish(payload(next++));
    };
    await Promise.all(Array.from({ length: callers }, caller));
    return count;
  });
}

/** Batches, each confirmed before the next. */
export function bulkPublishes(source: Source, { batches }: { batches: number }): Workload {
  return publishes(source, async (first) => {
    for (let batch = 0; batch < batches; batch++) {
      await source.publishBatch(payloads(batchSize, first + batch * batchSize));
    }
    return batches * batchSize;
  });
}

/** A consumer with a handler that does nothing starts, handles what waits, and stops. `behind` messages wait behind them. */
export async function drains(
  source: Source,
  { count, behind = 0 }: { count: number; behind?: number },
): Promise<Workload> {
  const ledger = new DeliveryLedger();
  await fill(source, behind);
  let published = behind;
  return {
    prepare: async () => {
      // What the consumer before this took beyond its count was handled too.
      const missing = ledger.handled + behind + count - published;
      await fill(source, missing, { firstId: published });
      published += missing;
    },
    run: async () => {
      const before = ledger.handled;
      const { stop } = await drainSome(source, ledger, { count, concurrency });
      await stop();
      return ledger.handled - before;
    },
    settle: nothing,
    close: async () => {
      await drainRest(source, ledger, published);
      await source.close();
      return ledger.account(published);
    },
  };
}

/** Messages that are published in one call to a consumer that waits: until the last is handled. */
export async function bursts(source: Source, { size }: { size: number }): Promise<Workload> {
  return handledAsPublished(source, async (first, ledger) => {
    const published = source.publishBatch(payloads(size, first));
    await ledger.until(first + size);
    await published;
    return size;
  });
}

/** One message after the other to a consumer that waits, each handled before the next is published. */
export async function singles(source: Source, { count }: { count: number }): Promise<Workload> {
  return handledAsPublished(source, async (first, ledger) => {
    for (let id = first; id < first + count; id++) {
      const published = source.publish(payload(id));
      await ledger.until(id + 1);
      await published;
    }
    return count;
  });
}

/** What is published is handled when the slice is over, by a consumer of that time. */
function publishes(source: Source, run: (first: number) => Promise<number>): Workload {
  const ledger = new DeliveryLedger();
  let published = 0;
  return {
    prepare: nothing,
    run: async () => {
      const count = await run(published);
      published += count;
      return count;
    },
    settle: () => drainRest(source, ledger, published),
    close: async () => {
      await source.close();
      return ledger.account(published);
    },
  };
}

async function handledAsPublished(
  source: Source,
  run: (first: number, ledger: DeliveryLedger) => Promise<number>,
): Promise<Workload> {
  const ledger = new DeliveryLedger();
  const consumer: RunningConsumer = await source.consume(({ id }) => void ledger.note(id), { concurrency });
  let published = 0;
  return {
    prepare: nothing,
    run: async () => {
      const count = await run(published, ledger);
      published += count;
      return count;
    },
    settle: nothing,
    close: async () => {
      await consumer.stop();
      await source.close();
      return ledger.account(published);
    },
  };
}

async function drainRest(source: Source, ledger: DeliveryLedger, published: number): Promise<void> {
  if (ledger.handled === published) return;
  const { stop } = await drainSome(source, ledger, { count: published - ledger.handled, concurrency });
  await stop();
}
