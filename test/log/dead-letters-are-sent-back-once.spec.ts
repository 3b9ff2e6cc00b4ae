import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '@millrace/testing';
import { LogOnRedis, times } from './log-on-redis.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

/** A group that gives up everything until the test mends the fault. */
async function faultyGroup(group: string) {
  const topic = await redis.topic({ partitions: 2 });
  const handled: [key: string | undefined, value: unknown][] = [];
  const fault = { isMended: false };
  const consumer = redis.log.consumer({
    group,
    topics: topic,
    retry: false,
    handler: (value, { key }) => {
      if (!fault.isMended) throw new Error('the database is away');
      handled.push([key, value]);
    },
  });
  const dead = `${topic}.dead-letters`;
  const records = times(20, (value) => ({ topic, key: `key-${value % 4}`, value }));
  await redis.log.producer().sendBatch(records);
  await consumer.start();
  const died = async (count: number) => {
    const ends = async () =>
      (await redis.log.describeTopic(dead)).partitionStates.reduce((sum, { end }) => sum + end, 0);
    await waitFor(async () => (await ends()) >= count, { what: `${count} dead letters` });
  };
  await died(20);
  return { topic, dead, consumer, handled, fault, died };
}

describe('a redrive', () => {
  it('sends everything back in the order of its keys, for the group that gave it up, and only once', async () => {
    // given twenty dead letters of one group, and another group that handled the records well
    const { topic, dead, consumer, handled, fault } = await faultyGroup('faulty');
    const others: unknown[] = [];
    const other = redis.log.consumer({ group: 'well', topics: topic, handler: (value) => void others.push(value) });
    await other.start();
    await waitFor(() => others.length === 20, { what: 'the other group' });
    fault.isMended = true;

    // when they are sent back twice, after a look at what would be done
    const all = { repeated: 0, looping: 0, filtered: 0, stuck: 0, reasons: [], impossible: 0 };
    expect(await redis.log.redrive({ topic: dead, dryRun: true })).toEqual({ ...all, redriven: 20 });
    expect(handled).toEqual([]);
    expect(await redis.log.redrive({ topic: dead, maxPerSecond: 10_000 })).toEqual({ ...all, redriven: 20 });
    expect(await redis.log.redrive({ topic: dead })).toEqual({ ...all, redriven: 0, repeated: 20 });

    // then the group handles each once and in order, and the other does not see them again
    await waitFor(() => handled.length >= 20, { what: 'all records' });
    await waitFor(async () => (await redis.log.groups.lag('well')).every(({ lag }) => lag === 0), {
      what: 'the other',
    });
    for (const key of times(4, (index) => `key-${index}`)) {
      const values = handled.filter(([own]) => own === key).map(([, value]) => Number(value));
      expect(values).toEqual([...values].sort((a, b) => a - b));
    }
    expect(handled).toHaveLength(20);
    expect(others).toHaveLength(20);
    await Promise.all([consumer.stop(), other.stop()]);
  });

  it('takes single records, and those that a filter wants', async () => {
    const { dead, consumer, handled, fault } = await faultyGroup('picky');
    fault.isMended = true;
    const letters = (await redis.records<number>(dead, 0)).concat(await redis.records<number>(dead, 1));
    const [one] = letters;
    expect(await redis.log.redrive({ topic: dead, records: [one ?? letters[0]!] })).toMatchObject({ redriven: 1 });
    const filter = ({ key, bytes }: { key: string | undefined; bytes: Buffer }) =>
      key === one?.key && Number(bytes.toString()) !== one?.value;
    expect(await redis.log.redrive({ topic: dead, filter })).toMatchObject({ redriven: 4, filtered: 16 });
    await waitFor(() => handled.length === 5, { what: 'five records' });
    expect(handled.every(([key]) => key === one?.key)).toBe(true);
    await consumer.stop();
  });

  it('leaves alone what comes back again and again', async () => {
    const { dead, consumer, died } = await faultyGroup('loop');
    expect(await redis.log.redrive({ topic: dead, maxRedrives: 1 })).toMatchObject({ redriven: 20 });
    await died(40);
    expect(await redis.log.redrive({ topic: dead, maxRedrives: 1 })).toMatchObject({
      redriven: 0,
      repeated: 20,
      looping: 20,
    });
    await consumer.stop();
  });

  it('ends when its signal is aborted while it waits for its rate', async () => {
    // given a redrive that sends one record per day
    const { dead, handled, fault } = await faultyGroup('aborted');
    fault.isMended = true;
    const abort = new AbortController();
    const rate = { limit: 1, intervalMs: 86_400_000 };
    const redrive = redis.log.redrive({ topic: dead, rate, signal: abort.signal });
    await waitFor(() => handled.length === 1, { what: 'the first record' });
    // when
    abort.abort();
    // then
    expect(await redrive).toMatchObject({ redriven: 1 });
  });

  it('sends nothing back to a topic that has its dead letters elsewhere, unless it is allowed', async () => {
    // given: letters in a topic that the settings of theirs do not name
    const { topic, dead, consumer } = await faultyGroup('strict');
    await consumer.stop();
    await redis.log.alterTopic(topic, { deadLetter: false });
    const other = await redis.topic({ partitions: 1 });
    const group = { group: 'own', topics: topic, retry: false as const, deadLetter: other };
    const failing = redis.log.consumer({
      ...group,
      handler: () => {
        throw new Error('the database is away');
      },
    });
    await failing.start();
    const end = async () => (await redis.log.describeTopic(other)).partitionStates[0]?.end;
    await waitFor(async () => (await end()) === 20, { what: '20 dead letters' });
    await failing.stop();
    // when
    const report = await redis.log.redrive({ topic: other });
    const allowed = await redis.log.redrive({ topic: other, allowTopics: [topic], dryRun: true });
    // then
    expect([report, allowed]).toMatchObject([
      { redriven: 0, stuck: 20, impossible: 20 },
      { redriven: 20, stuck: 0, reasons: [] },
    ]);
    expect(report.reasons[0]).toEqual({
      id: expect.stringMatching(/^0:\d+$/),
      why: `topic "${topic}" keeps its dead letters elsewhere: allow it with allowTopics`,
    });
    // The topic that is named after it needs no permission.
    expect(await redis.log.redrive({ topic: dead, dryRun: true })).toMatchObject({ redriven: 20 });
  });
});
