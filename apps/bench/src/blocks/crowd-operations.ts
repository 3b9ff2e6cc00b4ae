import { sleep } from '../clock.js';
import { connect } from '../connection.js';
import { DeliveryLedger } from '../delivery-ledger.js';
import { LongestCommands } from '../longest-command.js';
import { type Payload, payloads } from '../payload.js';
import type { Place } from '../place.js';

const messages = 20_000;
const held = 1_500;

/** What a queue with very many consumers does, in this order. */
export const crowdOperations = {
  join: 'one consumer for each 500 of that',
  deliver: `${messages.toLocaleString('en-US')} messages are handled by them`,
  death: `a consumer dies that holds ${held.toLocaleString('en-US')} messages, which the others handle`,
  leave: 'all consumers stop',
} as const;

/** The longest command of each operation with `count / 500` consumers of one queue. */
export async function measureCrowd(place: Place, count: number) {
  const { Broker } = await import('@millrace/queue');
  const [connection, doomed] = [await connect(place), await connect(place)];
  const [broker, dying] = [new Broker(connection), new Broker(doomed)];
  const { byOperation: longest, during } = new LongestCommands(place);
  const queue = 'crowded';
  const ledger = new DeliveryLedger();
  await broker.declareQueue({ name: queue });
  const publish = async (from: number, until: number): Promise<void> => {
    const bodies = payloads(until - from, from);
    await broker.publishBatch(bodies.map((body) => ({ exchange: '', routingKey: queue, body })));
  };
  const handler = (value: unknown) => void ledger.note((value as Payload).id);
  const consumers = Array.from({ length: count / 500 }, () => broker.consumer({ queue, handler }));
  await during('join', () => Promise.all(consumers.map((consumer) => consumer.start())));
  await during('deliver', async () => {
    await publish(0, messages);
    await ledger.until(messages);
  });
  await Promise.all(consumers.map((consumer) => consumer.stop()));
  await publish(messages, messages + held);
  await dying.consumer({ queue, prefetch: held, concurrency: 1, handler: () => new Promise(() => {}) }).start();
  while ((await broker.queue(queue).counts()).unacked < held) await sleep(20);
  const others = Array.from({ length: consumers.length }, () => broker.consumer({ queue, handler }));
  await Promise.all(others.map((consumer) => consumer.start()));
  await during('death', async () => {
    doomed.close();
    await ledger.until(messages + held);
  });
  await during('leave', () => Promise.all(others.map((consumer) => consumer.stop())));
  await dying.close().catch(() => {});
  await broker.close();
  connection.close();
  return { longest, delivery: ledger.account(messages + held) };
}
