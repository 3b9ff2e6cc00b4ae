import type { ResetTarget } from '@millrace/log';
import { startRedis, waitFor } from '@millrace/testing';
import type { Client, Stage } from '../stage.js';

const topic = 'orders';
const perDay = 30;
const day = 24 * 60 * 60 * 1000;

export const watch =
  'a log keeps what was read. Group analytics reads it again from its start, and again from midnight; group shop stays where it is.';

export async function play(stage: Stage): Promise<void> {
  const redis = await startRedis();
  const client = await stage.connect(redis.connection);
  const midnight = Math.floor(Date.now() / day) * day;
  await client.log.declareTopic({ name: topic, partitions: 3 });
  const orders = Array.from({ length: 2 * perDay }, (_, order) => {
    return { topic, key: `user-${order % 7}`, value: order, timestamp: midnight - day + (order * day) / perDay };
  });
  await client.log.producer().sendBatch(orders);
  stage.say(`${perDay} orders of yesterday and ${perDay} of today stand in topic ${topic}.`);

  for (const group of ['shop', 'analytics']) {
    const count = await readAll(client, group);
    stage.promised(`group ${group} reads ${count}, and is at the end.`, count === 2 * perDay);
  }
  await replayFrom(stage, client, { to: 'earliest', called: 'its start', expected: 2 * perDay });
  await replayFrom(stage, client, { to: { timestamp: midnight }, called: 'midnight', expected: perDay });
  const lag = (await client.log.groups.lag('shop')).reduce((sum, place) => sum + place.lag, 0);
  stage.promised(`group shop did not notice: lag ${lag}.`, lag === 0);
}

async function replayFrom(
  stage: Stage,
  client: Client,
  { to, called, expected }: { to: ResetTarget; called: string; expected: number },
): Promise<void> {
  const changes = await client.log.groups.resetOffsets('analytics', { topic, to });
  const moves = changes.map(({ partition, from, to: target }) => `partition ${partition}: ${from} → ${target}`);
  stage.say(`Group analytics is set back to ${called}: ${moves.join(', ')}.`);
  const count = await readAll(client, 'analytics');
  stage.promised(`from ${called} it reads ${count} orders again.`, count === expected);
}

/** Consumes to the end of the log; answers how many records that were. */
async function readAll({ log }: Client, group: string): Promise<number> {
  let count = 0;
  const consumer = log.consumer({ group, topics: topic, handler: () => void count++ });
  await consumer.start();
  const isAtEnd = async (): Promise<boolean> => {
    const places = await log.groups.lag(group);
    return places.length === 3 && places.every(({ lag }) => lag === 0);
  };
  await waitFor(isAtEnd, { what: `group ${group} to read everything` });
  await consumer.stop();
  return count;
}
