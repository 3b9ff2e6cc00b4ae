import { batchSize, drainSome } from '../backlog.js';
import { sleep } from '../clock.js';
import { connect } from '../connection.js';
import { DeliveryLedger } from '../delivery-ledger.js';
import { LongestCommands } from '../longest-command.js';
import { type Payload, payloads } from '../payload.js';
import type { Place } from '../place.js';

/** What is done with messages that have a time, in this order. */
export const timedOperations = {
  stamp: 'as publish, with a time to live',
  lapse: 'all of them expire together, without consumers',
  delay: 'as publish, with a delay',
  due: 'all of them are due together, and are handled',
} as const;

/** Messages a second that are published at least. */
const slowest = 30_000;
const batchesInFlight = 4;

/** The longest command of each operation on `count` messages. */
export async function measureTimed(place: Place, count: number) {
  const { Broker } = await import('@millrace/queue');
  const connection = await connect(place);
  const broker = new Broker(connection);
  const { byOperation: longest, during } = new LongestCommands(place);
  const queue = 'timed';
  await broker.declareQueue({ name: queue });
  const at = (): number => Date.now() + 2000 + Math.ceil((count / slowest) * 1000);
  const publishAll = async (key: 'expirationMs' | 'delayMs', due: number): Promise<void> => {
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < count) {
        const bodies = payloads(Math.min(batchSize, count - next), next);
        next += bodies.length;
        const properties = () => ({ [key]: Math.max(1, due - Date.now()) });
        await broker.publishBatch(
          bodies.map((body) => ({ exchange: '', routingKey: queue, body, properties: properties() })),
        );
      }
    };
    await Promise.all(Array.from({ length: batchesInFlight }, lane));
  };
  const expiry = at();
  await during('stamp', () => publishAll('expirationMs', expiry));
  await sleep(expiry - Date.now());
  await during('lapse', async () => {
    while ((await broker.queue(queue).counts()).ready > 0) await sleep(100);
  });
  const due = at();
  await during('delay', () => publishAll('delayMs', due));
  const ledger = new DeliveryLedger();
  const consume = async (
    handle: (value: Payload) => void | Promise<void>,
    { concurrency }: { concurrency: number },
  ) => {
    const consumer = broker.consumer({ queue, concurrency, handler: (value) => handle(value as Payload) });
    await consumer.start();
    return { stop: () => consumer.stop() };
  };
  await during('due', async () => {
    const { stop } = await drainSome({ consume }, ledger, { count, concurrency: 100, stalledAfterMs: 120_000 });
    await stop();
  });
  await broker.close();
  connection.close();
  return { longest, delivery: ledger.account(count) };
}
