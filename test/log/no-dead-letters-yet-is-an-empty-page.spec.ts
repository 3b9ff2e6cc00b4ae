import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TopicNotFoundError } from '@millrace/core';
import { LogOnRedis } from './log-on-redis.js';

describe('a topic of which no record has died yet', () => {
  let redis: LogOnRedis;
  beforeAll(async () => {
    redis = await LogOnRedis.start();
  });
  afterAll(() => redis.stop());

  const nothing = { redriven: 0, repeated: 0, looping: 0, filtered: 0, stuck: 0, reasons: [], impossible: 0 };

  it.each(['by default', 'chosen'])('has no dead letters to read, count or redrive: in the topic %s', async (which) => {
    // given
    const chosen = which === 'chosen' ? { deadLetter: { topic: 'the-dead' } } : {};
    const topic = await redis.topic(chosen);
    const dead = which === 'chosen' ? 'the-dead' : `${topic}.dead-letters`;
    // then
    expect(await redis.records(dead)).toEqual([]);
    expect(await redis.log.beginOffset(dead, 0)).toBe(0);
    expect(await redis.log.endOffset(dead, 0)).toBe(0);
    expect(await redis.log.redrive({ topic: dead })).toEqual(nothing);
    expect(await redis.log.redrive({ topic: dead, dryRun: true })).toEqual(nothing);
    expect((await redis.log.listTopics()).map(({ name }) => name)).not.toContain(dead);
  });

  it('is not mistaken for one whose name is mistyped', async () => {
    for (const topic of ['unused.dead-letters', 'unused']) {
      await expect(redis.records(topic)).rejects.toThrow(TopicNotFoundError);
      await expect(redis.log.redrive({ topic })).rejects.toThrow(TopicNotFoundError);
    }
  });
});
