import { batchSize, fill } from '../backlog.js';
import { connect } from '../connection.js';
import { DeliveryLedger } from '../delivery-ledger.js';
import { LongestCommands } from '../longest-command.js';
import type { Payload } from '../payload.js';
import type { Place } from '../place.js';

/** What is done to a topic of one partition that holds many records, in this order. */
export const logOperations = {
  append: `batches of ${batchSize}`,
  fetch: 'a group of one member handles all of them',
  search: 'the offset of a point in time',
  trim: 'retention drops half of them',
  delete: 'the topic with all that it holds',
} as const;

/** The longest command of each operation on `count` records. */
export async function measureLog(place: Place, count: number) {
  const { Log } = await import('@millrace/log');
  const connection = await connect(place);
  const log = new Log(connection, { retentionIntervalMs: 0 });
  const topic = 'bench';
  await log.declareTopic({ name: topic });
  const { byOperation: longest, during } = new LongestCommands(place);
  const producer = log.producer();
  const startedAt = Date.now();
  const publishBatch = (values: readonly Payload[]) => producer.sendBatch(values.map((value) => ({ topic, value })));
  await during('append', () => fill({ publishBatch }, count));
  const ledger = new DeliveryLedger();
  const handler = (value: unknown) => void ledger.note((value as Payload).id);
  const consumer = log.consumer({ group: topic, topics: topic, concurrency: 100, handler });
  await during('fetch', async () => {
    await consumer.start();
    await ledger.until(count);
    await consumer.stop();
  });
  await during('search', () => log.offsetForTimestamp(topic, 0, startedAt + 1000));
  await log.alterTopic(topic, { retention: { maxRecords: count / 2 } });
  await during('trim', async () => {
    await log.applyRetention(topic);
    const begin = await log.beginOffset(topic, 0);
    if (begin < count * 0.4) throw new Error(`retention left the offsets from ${begin} on`);
  });
  await during('delete', () => log.deleteTopic(topic));
  await log.close();
  await connection.close();
  return { longest, delivery: ledger.account(count) };
}
