import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LogOnRedis, times } from './log-on-redis.js';

describe('the lag of a group below the log start', () => {
  let redis: LogOnRedis;
  beforeAll(async () => {
    redis = await LogOnRedis.start();
  });
  afterAll(() => redis.stop());

  it('counts what can still be read, and nothing that was removed', async () => {
    // given a group that has read none of 1,000 records
    const topic = await redis.topic();
    await redis.log.producer().sendBatch(times(1000, (value) => ({ topic, value })));
    await redis.log.groups.resetOffsets('behind', { topic, to: 'earliest' });

    // when all but ten are removed
    await redis.log.deleteRecords(topic, 0, 990);

    // then those ten are its lag
    const lag = () => redis.log.groups.lag('behind');
    expect(await lag()).toMatchObject([{ committed: 0, start: 990, end: 1000, lag: 10 }]);

    // when these are removed too, then nothing is left to read, and nothing waits
    await redis.log.deleteRecords(topic, 0, 1000);
    expect(await lag()).toMatchObject([{ committed: 0, start: 1000, end: 1000, lag: 0, timeLagMs: 0 }]);
  });
});
