import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WriteError } from '@millrace/core';
import type { ConsumerInput, TopicInput } from '@millrace/log';
import { waitFor } from '@millrace/testing';
import { LogOnRedis, times } from './log-on-redis.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

async function declareAgain(topic: string, settings: Partial<TopicInput> = {}): Promise<void> {
  await redis.log.deleteTopic(topic);
  await redis.log.declareTopic({ name: topic, ...settings });
}

/** A member of a group of the topic's name, in a process of its own, and what it has handled. */
async function member(topic: string, options: Partial<ConsumerInput> = {}) {
  const handled: unknown[] = [];
  const log = await redis.another();
  const handler = (value: unknown): void => void handled.push(value);
  const consumer = log.consumer({ group: topic, topics: topic, leaseMs: 600, handler, ...options });
  await consumer.start();
  return { consumer, handled, log };
}

describe('a topic that is deleted and declared again immediately', () => {
  it.each([
    ['which has the old plan', 600_000],
    ['which sees the new topic', 20],
  ])('is read whole by a group from "latest" %s', async (_which, topicRefreshMs) => {
    // given a group that waits at the end of a topic
    const topic = await redis.topic({ partitions: 2 });
    await redis.log.producer().sendBatch(times(10, (value) => ({ topic, partition: value % 2, value })));
    const { consumer, handled } = await member(topic, { from: 'latest', topicRefreshMs });

    // when the topic is another one
    await declareAgain(topic, { partitions: 2 });
    const values = times(30, (index) => `new ${index}`);
    await redis.log.producer().sendBatch(values.map((value, index) => ({ topic, partition: index % 2, value })));

    // then the group misses none of its records
    await waitFor(() => new Set(handled).size === 30, { what: 'all records of the new topic' });
    expect(new Set(handled)).toEqual(new Set(values));
    await consumer.stop();
  });

  it('is read whole though a deletion that was cut off left behind how far its group was', async () => {
    // given a group that has done all but the first of three records
    const topic = await redis.topic();
    await redis.log.producer().sendBatch(times(3, (value) => ({ topic, value })));
    const handler = (value: unknown) => (value === 0 ? new Promise(() => undefined) : undefined);
    const stuck = await member(topic, { ordering: 'none', commitIntervalMs: 1, handler });
    const hash = `millrace:{log:${topic}:0}:group:${topic}`;
    await waitFor(async () => (await redis.admin.hstrlen(hash, 'progress')) > 0, { what: 'its progress' });
    await stuck.consumer.stop({ deadlineMs: 0 });

    // when the topic is taken out of the register and nothing else, as by a process that dies then
    await redis.admin.hdel('millrace:{topology}:topics', topic);
    await redis.log.declareTopic({ name: topic });
    await redis.log.producer().sendBatch(times(3, (value) => ({ topic, value: `new ${value}` })));

    // then no record of the new topic counts as done
    const { consumer, handled } = await member(topic);
    await waitFor(() => handled.length === 3, { what: 'the three new records' });
    expect(handled).toEqual(['new 0', 'new 1', 'new 2']);
    await consumer.stop();
  });

  it('is noticed by a member whose lease on the old one still stands', async () => {
    // given a member that has read the topic
    const topic = await redis.topic();
    await redis.log.producer().send({ topic, value: 'old' });
    const { consumer, handled } = await member(topic);
    await waitFor(() => handled.length === 1, { what: 'the record' });

    // when a deletion that was cut off leaves its lease
    await redis.admin.hdel('millrace:{topology}:topics', topic);
    await redis.log.declareTopic({ name: topic });
    await redis.log.producer().send({ topic, value: 'new 0' });
    await redis.log.producer().send({ topic, value: 'new 1' });

    // then it begins again
    await waitFor(() => handled.includes('new 1'), { what: 'the new records' });
    expect(handled).toEqual(['old', 'new 0', 'new 1']);
    await consumer.stop();
  });

  it('takes no record that waited, encoded with the codec of the old one', async () => {
    // given records of a JSON topic that linger
    const topic = await redis.topic({ codec: 'json' });
    const producer = (await redis.another()).producer({ lingerMs: 20_000 });
    const prepared = producer.send({ topic, value: 'first' });
    await producer.flush();
    await prepared;
    const waiting = times(3, (value) => producer.send({ topic, value }).catch((error: unknown) => error));

    // when it is declared again with another codec, and they are sent
    await declareAgain(topic, { codec: 'msgpack' });
    await producer.flush();

    // then they are refused in words, and what is sent from now on is encoded as the new topic wants it
    for (const error of await Promise.all(waiting)) {
      expect(error).toBeInstanceOf(WriteError);
      expect(error).toMatchObject({ failure: 'rejected', mayBeWritten: false });
      expect(String(error)).toMatch(/deleted and declared again with the codec "msgpack".*encoded as "json".*Send/s);
    }
    const next = producer.send({ topic, value: { is: 'new' } });
    await producer.flush();
    expect((await next).offset).toBe(0);
    expect(await redis.records(topic)).toMatchObject([{ value: { is: 'new' } }]);
  });

  it('never gets a batch with records of two codecs', async () => {
    // given a record that lingers
    const topic = await redis.topic({ codec: 'json' });
    const producer = redis.log.producer({ lingerMs: 20_000 });
    const old = producer.send({ topic, value: 'old' }).catch((error: unknown) => error);

    // when this very process declares it again, and another record joins it
    await declareAgain(topic, { codec: 'msgpack' });
    const next = producer.send({ topic, value: { is: 'new' } });
    await producer.flush();

    // then the one is refused, the other is there
    expect(await old).toBeInstanceOf(WriteError);
    expect((await next).offset).toBe(0);
    expect(await redis.records(topic)).toMatchObject([{ value: { is: 'new' } }]);
  });

  it('takes in what waits under the same codec, from a producer that has already written to it', async () => {
    const topic = await redis.topic();
    const producer = (await redis.another()).producer();
    const old = producer.send({ topic, value: 'old' });
    await old;
    await declareAgain(topic);
    const sent = await Promise.all(times(50, (value) => producer.send({ topic, value })));
    expect(sent.map(({ offset }) => offset)).toEqual(times(50, (offset) => offset));
    expect((await redis.records(topic)).map(({ value }) => value)).toEqual(times(50, (value) => value));
  });

  it('decides itself where its dead letters go', async () => {
    // given a member that has written a dead letter of the old topic
    const topic = await redis.topic();
    const { consumer } = await member(topic, { retry: false, handler: () => Promise.reject(new Error('no')) });
    await redis.log.producer().send({ topic, value: 'old' });
    await waitFor(async () => (await redis.log.groups.lag(topic))[0]?.lag === 0, { what: 'the dead letter' });

    // when the new one names another place for them
    const letters = `${topic}.given-up`;
    await declareAgain(topic, { deadLetter: { topic: letters } });
    await redis.log.producer().send({ topic, value: 'new' });

    // then they go there
    await waitFor(async () => (await redis.log.groups.lag(topic))[0]?.committed === 1, { what: 'the new one' });
    expect((await redis.records(letters)).map(({ value }) => value)).toEqual(['new']);
    await consumer.stop();
  });

  it('is where its dead letters are sent back to, by a process that knew the old one', async () => {
    // given a process that has sent a dead letter back
    const topic = await redis.topic();
    const { consumer, log } = await member(topic, { retry: false, handler: () => Promise.reject(new Error('no')) });
    await redis.log.producer().send({ topic, value: 1 });
    await waitFor(async () => (await redis.log.groups.lag(topic))[0]?.lag === 0, { what: 'the dead letter' });
    await consumer.stop();
    const letters = `${topic}.dead-letters`;
    expect(await log.redrive({ topic: letters })).toMatchObject({ redriven: 1 });

    // when the topic is another one
    await declareAgain(topic);

    // then it is sent there
    expect(await log.redrive({ topic: letters })).toMatchObject({ redriven: 1, impossible: 0 });
    expect((await redis.records(topic)).map(({ value }) => value)).toEqual([1]);
  });

  it('ends a reading that follows the old one, instead of going on somewhere in the new', async () => {
    // given a reading that has come to the end
    const topic = await redis.topic();
    await redis.log.producer().send({ topic, value: 'old' });
    const log = await redis.another();
    const strict = log.read({ topic, partition: 0, tail: true });
    const going = log.read({ topic, partition: 0, tail: true, outOfRange: 'continue' });
    for (const reading of [strict, going]) expect((await reading.next()).value).toMatchObject({ value: 'old' });
    const [after, further] = [strict.next(), going.next()];
    after.catch(() => undefined);

    // when the new topic has as many records
    await declareAgain(topic);
    await redis.log.producer().send({ topic, value: 'new' });

    // then it says so, or begins with the new one's first record
    await expect(after).rejects.toThrow(/was deleted and declared again/);
    expect((await further).value).toMatchObject({ value: 'new', offset: 0 });
    await going.return();
  });
});
