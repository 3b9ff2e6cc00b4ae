import type { Broker, QueueHandle } from '@millrace/queue';
import { batchSize, drainSome, fill } from '../backlog.js';
import { sleep } from '../clock.js';
import { connect } from '../connection.js';
import { type Delivery, DeliveryLedger, sumOf } from '../delivery-ledger.js';
import { LongestCommands } from '../longest-command.js';
import { type Payload, payload, payloads } from '../payload.js';
import type { Place } from '../place.js';

/** Messages of the queue that are cancelled, removed or sent back one by one, evenly spread over it. */
const chosen = 100;
const expiring = 5_000;
const handled = 20_000;

/** What is done to a queue that holds many messages, in this order. */
export const queueOperations = {
  publish: `batches of ${batchSize}`,
  identify: `as publish, with message ids`,
  counts: 'how many messages stand where',
  list: 'all of them, in pages of 1,000',
  turn: `a consumer handles ${handled.toLocaleString('en-US')}`,
  cancel: `${chosen} of them by id`,
  expire: `${expiring.toLocaleString('en-US')} of them reach their time to live`,
  // One: a hundred in one call held Redis for longer than a publish may take.
  reuse: 'the id of an expired message is published again',
  redrive: `${chosen} of them are sent to another queue, as dead letters are`,
  purge: `${chosen} of them are removed, as dead letters are`,
  trim: 'the queue’s maximum length becomes half of what it holds, and messages are published until it is so',
  delete: 'the queue with all that it holds',
} as const;

/** The longest command of each operation on `count` messages. */
export async function measureQueue(place: Place, count: number) {
  const { Broker } = await import('@millrace/queue');
  const connection = await connect(place);
  const broker = new Broker(connection);
  const { byOperation: longest, during } = new LongestCommands(place);
  await broker.declare({ queues: [{ name: 'bench' }, { name: 'elsewhere' }] });
  const queue = broker.queue('bench');
  await during('publish', () => fill(drainable(broker), count));
  await during('identify', () => publishMany(broker, 'id', handled, {}));
  await during('counts', () => queue.counts());
  let ids: readonly string[] = [];
  await during('list', async () => {
    ids = await listAll(queue);
  });
  if (ids.length !== count + handled) throw new Error(`${ids.length} messages were listed of ${count + handled}`);
  const ledger = new DeliveryLedger();
  await during('turn', () => handleSome(broker, ledger));
  // All but what that consumer had.
  const waiting = ids.slice(ledger.handled);
  const [forCancel = [], forRedrive = [], forPurge = []] = [0, 1, 2].map((offset) => spread(waiting, offset));
  await during('cancel', async () => {
    for (const id of forCancel) await queue.cancel(id);
  });
  await publishMany(broker, 'short', expiring, { expirationMs: 1 });
  await during('expire', () => untilExpired(queue, count + handled - ledger.handled - forCancel.length));
  await during('reuse', () => publishMany(broker, 'short', 1, {}));
  await during('redrive', () => queue.deadLetters.redrive({ ids: forRedrive, to: { queue: 'elsewhere' } }));
  await during('purge', () => queue.deadLetters.purge({ ids: forPurge }));
  // In this order, so that what is deleted is as much as all the others were done to.
  const trimmed = await trimAnother(broker, count, (act) => during('trim', act));
  await during('delete', () => broker.deleteQueue('bench'));
  await broker.close();
  await connection.close();
  return { longest, delivery: sumOf([ledger.account(ledger.handled), trimmed]) };
}

/** Handles so many messages of the queue, and hardly any of those behind them: once they are handled, the next ones hold their consumer up until it stops. */
async function handleSome(broker: Broker, ledger: DeliveryLedger): Promise<void> {
  let release: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const handle = ({ id }: Payload): void | Promise<void> => {
    ledger.note(id);
    return ledger.handled < handled ? undefined : released;
  };
  const consumer = await drainable(broker).consume(handle, { concurrency: 100 });
  await ledger.until(handled);
  const stopped = consumer.stop();
  release();
  await stopped;
}

/** Of `count` messages the first half goes, in pieces of what one publish drops. The rest is handled. */
async function trimAnother(
  broker: Broker,
  count: number,
  measured: (act: () => Promise<unknown>) => Promise<void>,
): Promise<Delivery> {
  const name = 'trimmed';
  const most = count / 2;
  let published = 0;
  await broker.declareQueue({ name });
  const queue = broker.queue(name);
  await fill(drainable(broker, name), count);
  published += count;
  await measured(async () => {
    await broker.declareQueue({ name, maxLength: most }, { onChange: 'apply' });
    do await broker.sendToQueue(name, payload(published++));
    while ((await queue.counts()).ready > most);
  });
  const ledger = new DeliveryLedger();
  const left = drainable(broker, name, { firstId: published - most });
  const { stop } = await drainSome(left, ledger, { count: most, concurrency: 100 });
  await stop();
  await broker.deleteQueue(name);
  return ledger.account(most);
}

/** A queue as `fill` and `drainSome` use it. What it hands out is numbered from `firstId` (default 0). */
function drainable(broker: Broker, queue = 'bench', { firstId = 0 } = {}) {
  return {
    publishBatch: (values: readonly Payload[]) =>
      broker.publishBatch(values.map((body) => ({ exchange: '', routingKey: queue, body }))),
    consume: async (handle: (value: Payload) => void | Promise<void>, { concurrency }: { concurrency: number }) => {
      const numbered = (value: Payload) => (firstId === 0 ? value : { ...value, id: value.id - firstId });
      const consumer = broker.consumer({ queue, concurrency, handler: (value) => handle(numbered(value as Payload)) });
      await consumer.start();
      return { stop: () => consumer.stop() };
    },
  };
}

/** Messages with ids of the user's: `<prefix>-0` and so on. */
async function publishMany(
  broker: Broker,
  prefix: string,
  count: number,
  properties: { readonly expirationMs?: number },
): Promise<void> {
  for (let first = 0; first < count; first += batchSize) {
    const bodies = payloads(Math.min(batchSize, count - first), first);
    await broker.publishBatch(
      bodies.map((body) => ({
        exchange: '',
        routingKey: 'bench',
        body,
        properties: { messageId: `${prefix}-${body.id}`, ...properties },
      })),
    );
  }
}

async function listAll(queue: QueueHandle): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await queue.ready({ limit: 1000, cursor });
    for (const { id } of page.messages) ids.push(id);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return ids;
}

/** The queue is looked after once in some seconds while it has no consumer. */
async function untilExpired(queue: QueueHandle, left: number): Promise<void> {
  while ((await queue.counts()).ready > left) await sleep(100);
}

function spread<T>(values: readonly T[], offset: number): T[] {
  const step = Math.floor(values.length / chosen);
  return Array.from({ length: chosen }, (_, index) => values[index * step + offset]).flatMap((value) => value ?? []);
}
