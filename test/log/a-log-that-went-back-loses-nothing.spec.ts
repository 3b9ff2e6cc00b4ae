import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, waitFor } from '@millrace/testing';
import { become, copyOf } from '../history.js';
import { LogOnRedis, openLog, times } from './log-on-redis.js';

type Client = ReturnType<RedisServer['client']>;

let redis: LogOnRedis;
let admin: Client;
beforeEach(async () => {
  redis = await LogOnRedis.start();
  admin = redis.server.client();
});
afterEach(() => redis.stop());

/** A history that goes on from a copy without what came after it, on a server of its own. */
async function otherHistory(copy: ReadonlyMap<string, Buffer>, topic: string, batches: readonly (readonly string[])[]) {
  const server = await startRedis();
  const client = server.client();
  await become(client, copy);
  const { log, connection } = await openLog(server.connection);
  for (const values of batches) await log.producer().sendBatch(messages(topic, values));
  await log.close();
  connection.close();
  return copyOf(client, `*{log:${topic}:*`);
}

// Of one time, so that a batch that comes again has the same bytes.
const messages = (topic: string, values: readonly string[]) =>
  values.map((value) => ({ topic, value, timestamp: 1_700_000_000_000 }));

/** A member that has read five records, and then those of `lost`, which the copy does not know; `held` are not finished before `finish`. */
async function readAhead(lost: readonly (readonly string[])[], held: readonly string[] = []) {
  const topic = await redis.topic();
  const log = await redis.another();
  const seen: unknown[] = [];
  const moved: unknown[] = [];
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  log.events.on('offset-out-of-range', (event) => moved.push(event));
  const handler = async (value: unknown) => {
    seen.push(value);
    if (held.includes(String(value))) await finished;
  };
  const consumer = log.consumer({ group: 'g', topics: topic, handler, commitIntervalMs: 1 });
  await consumer.start();
  const producer = redis.log.producer();
  await producer.sendBatch(messages(topic, ['k0', 'k1', 'k2', 'k3', 'k4']));
  await waitFor(() => consumer.assignment[0]?.committed === 5, { what: 'five commits' });
  const copy = await copyOf(admin, '*');
  for (const values of lost) await producer.sendBatch(messages(topic, values));
  const all = lost.flat();
  await waitFor(() => all.every((value) => seen.includes(value)), { what: 'the rest to be handled' });
  const undone = all.findIndex((value) => held.includes(value));
  const committed = 5 + (undone < 0 ? all.length : undone);
  await waitFor(() => consumer.assignment[0]?.committed === committed, { what: 'its commit' });
  return { topic, consumer, seen, moved, copy, finish };
}

const lag = async () => (await redis.log.groups.lag('g'))[0]?.lag;
const five = times(5, (index) => `lost ${index}`);
const news = (count: number, from = 0) => times(count, (index) => `new ${from + index}`);

describe('when Redis loses the end of a log, and other records take its place before the group notices', () => {
  it.each([
    ['reach over what was read in one batch', [news(8)]],
    ['have a batch that begins where reading had ended', [news(5), news(3, 5)]],
    ['end exactly where reading had ended', [news(5)]],
    ['are fewer than were lost', [news(2)]],
    ['are one by one', times(9, (index) => news(1, index))],
  ])('it handles them all when they %s', async (_how, batches) => {
    // given a member ahead of another history
    const { topic, consumer, seen, moved, copy } = await readAhead([five]);
    const other = await otherHistory(copy, topic, batches);

    // when that becomes the history
    await become(admin, other);

    // then all of it is handled and committed, and it was said
    await waitFor(() => batches.flat().every((value) => seen.includes(value)), { what: 'the new records' });
    await waitFor(async () => (await lag()) === 0, { what: 'the commit' });
    expect(moved).toEqual([{ topic, partition: 0, group: 'g', from: 10, to: 5, why: 'log-truncated' }]);
    await consumer.stop();
  });

  it('does not let what it has in hand commit over them', async () => {
    // given a member that has five records in hand, of another history
    const { topic, consumer, seen, copy, finish } = await readAhead([five], five);
    const other = await otherHistory(copy, topic, [news(5)]);

    // when its handlers end after that has become the history
    await become(admin, other);
    finish();

    // then the new records are handled, and the offset is behind them
    await waitFor(() => news(5).every((value) => seen.includes(value)), { what: 'the new records' });
    await waitFor(async () => (await lag()) === 0, { what: 'the commit' });
    await consumer.stop();
  });

  it('knows a batch that was sent again at the same offsets, with the same bytes, from the one that it read', async () => {
    // given a member that has read two batches, of which the second comes again behind another first one
    const { topic, consumer, seen, moved, copy, finish } = await readAhead([['a', 'b', 'c'], ['again']], ['again']);
    const other = await otherHistory(copy, topic, [['x', 'y', 'z'], ['again']]);

    // when that becomes the history
    await become(admin, other);
    finish();

    // then the first one is not passed over
    await waitFor(() => ['x', 'y', 'z'].every((value) => seen.includes(value)), { what: 'the new records' });
    await waitFor(async () => (await lag()) === 0, { what: 'the commit' });
    expect(moved).toMatchObject([{ from: 9, to: 5 }]);
    await consumer.stop();
  });

  it('does not remember as done what was done of the lost records out of turn', async () => {
    // given a member that has finished all but the first of five records
    const { topic, consumer, seen, copy, finish } = await readAhead([five], ['lost 0']);
    const other = await otherHistory(copy, topic, [news(1), ['sixth']]);

    // when another history has one record instead of them, and more comes later
    await become(admin, other);
    finish();
    await redis.log.producer().sendBatch(messages(topic, news(8, 1)));

    // then none of them is taken for done
    const expected = [...news(9), 'sixth'];
    await waitFor(() => expected.every((value) => seen.includes(value)), { what: 'the new records' });
    await waitFor(async () => (await lag()) === 0, { what: 'the commit' });
    await consumer.stop();
  });
});

describe('what retention removes while a member has it in hand', () => {
  it('is no loss: the member commits over it and goes on', async () => {
    // given a member that has five records in hand
    const { topic, consumer, seen, moved, finish } = await readAhead([five], five);

    // when they are removed before they are done
    await redis.log.deleteRecords(topic, 0, 10);
    finish();

    // then they are committed, and what comes next is handled by the same owner
    await waitFor(() => consumer.assignment[0]?.committed === 10, { what: 'the commit' });
    await redis.log.producer().sendBatch(messages(topic, ['next']));
    await waitFor(() => seen.includes('next'), { what: 'the next record' });
    expect(consumer.assignment).toMatchObject([{ epoch: 1 }]);
    expect(moved).toEqual([]);
    expect(seen).toHaveLength(11);
    await consumer.stop();
  });
});
