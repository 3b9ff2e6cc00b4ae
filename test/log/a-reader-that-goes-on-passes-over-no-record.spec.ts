import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { partitionKeys } from '@millrace/log';
import { LogOnRedis, times } from './log-on-redis.js';

let redis: LogOnRedis;
beforeEach(async () => {
  redis = await LogOnRedis.start();
});
afterEach(() => redis.stop());

describe("a reader with outOfRange: 'continue'", () => {
  it.each([
    ['fewer than were lost', 3],
    ['more than were lost', 8],
  ])('reads each new record of a log that lost its tail: %s', async (_name, count) => {
    // given a reader that waits behind ten records, of which the log then loses five
    const topic = await redis.topic();
    const reading = redis.log.read<string>({ topic, partition: 0, tail: true, outOfRange: 'continue' });
    const kept = times(5, (n) => `kept ${n}`);
    const lost = times(5, (n) => `lost ${n}`);
    await sendEach(topic, kept);
    const goBack = await memory(topic);
    await sendEach(topic, lost);
    const read = await take(reading, 10);

    // when others get their offsets
    await goBack();
    const news = times(count, (n) => `new ${n}`);
    await sendEach(topic, news);

    // then it reads each of them, from the first on, and none twice
    read.push(...(await take(reading, count)));
    expect(read).toEqual([...kept, ...lost, ...news]);
    await reading.return();
  });

  it('reads some again rather than pass over one, when more were lost than it remembers singly', async () => {
    // given a reader that has read 300 batches, of which the log then loses 200
    const topic = await redis.topic();
    const reading = redis.log.read<string>({ topic, partition: 0, tail: true, outOfRange: 'continue' });
    const kept = times(100, (n) => `kept ${n}`);
    await sendEach(topic, kept);
    const goBack = await memory(topic);
    await sendEach(
      topic,
      times(200, (n) => `lost ${n}`),
    );
    await take(reading, 300);

    // when others get their offsets
    await goBack();
    const news = times(10, (n) => `new ${n}`);
    await sendEach(topic, news);

    // then it goes on before them, without a gap, and repeats no more than a sixteenth of what was lost
    const read: string[] = [];
    while (read.at(-1) !== 'new 9') read.push(...(await take(reading, 1)));
    const again = read.length - news.length;
    expect(read).toEqual([...kept.slice(100 - again), ...news]);
    expect(again).toBeLessThanOrEqual(200 / 16);
    await reading.return();
  });
});

async function sendEach(topic: string, values: readonly string[]): Promise<void> {
  const producer = redis.log.producer();
  for (const value of values) await producer.send({ topic, value });
  await producer.close();
}

async function take(reading: AsyncIterator<{ value: string }, void>, count: number): Promise<string[]> {
  const values: string[] = [];
  while (values.length < count) {
    const { value } = await reading.next();
    values.push(value?.value ?? 'the end');
  }
  return values;
}

/** What the topic holds now; what it returns makes the log forget everything since, as a failover does. */
async function memory(topic: string): Promise<() => Promise<void>> {
  const { records, meta } = partitionKeys('millrace', topic, 0);
  const dumps = await Promise.all(
    [records, meta].map(async (key) => [key, await redis.admin.dumpBuffer(key)] as const),
  );
  return async () => {
    for (const [key, dump] of dumps) await redis.admin.restore(key, 0, dump, 'REPLACE');
  };
}
