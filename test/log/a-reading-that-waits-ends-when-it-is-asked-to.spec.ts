import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LogOnRedis, times } from './log-on-redis.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

async function topicWith(count: number): Promise<string> {
  const topic = await redis.topic();
  const producer = redis.log.producer();
  for (const value of times(count, (n) => n)) await producer.send({ topic, value });
  return topic;
}

const end = { done: true, value: undefined };

describe('a reading that waits for records to come', () => {
  it('ends when its iterator is returned', async () => {
    // given one that has read what is there
    const topic = await topicWith(1);
    const reading = redis.log.read({ topic, partition: 0, tail: true });
    await reading.next();
    const waiting = reading.next();
    await redis.log.endOffset(topic, 0);

    // when
    const returned = reading.return();

    // then the call that waited ends, and so does the next one
    expect(await Promise.all([waiting, returned, reading.next()])).toEqual([end, end, end]);
  });

  it('ends when its iterator of batches is returned', async () => {
    // given one that has read what is there
    const topic = await topicWith(1);
    const reading = redis.log.readBatches({ topic, partition: 0, tail: true });
    await reading.next();
    const waiting = reading.next();
    await redis.log.endOffset(topic, 0);

    // when
    const returned = reading.return();

    // then
    expect(await Promise.all([waiting, returned])).toEqual([end, end]);
  });

  it('ends with the Log that it reads, and one that reads up to the end reads on', async () => {
    // given one that waits, and one in the middle of what is there
    const topic = await topicWith(3);
    const log = await redis.another();
    const tail = log.read({ topic, partition: 0, tail: true, from: 'latest' });
    const rest = log.read({ topic, partition: 0 });
    const waiting = tail.next();
    await rest.next();

    // when
    await log.close();

    // then
    expect(await waiting).toEqual(end);
    expect([(await rest.next()).value?.offset, (await rest.next()).value?.offset]).toEqual([1, 2]);
    expect(await rest.next()).toEqual(end);
  });
});
