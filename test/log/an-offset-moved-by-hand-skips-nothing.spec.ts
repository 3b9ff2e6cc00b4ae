import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { waitFor } from '@millrace/testing';
import { partitionKeys } from '../../libs/log/src/store/keys.js';
import { LogOnRedis, times } from './log-on-redis.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

it('what was done beyond the old offset is handled again from the offset that an operator set with any tool', async () => {
  // given a group that has handled the records 1 to 5, and not 0, which stays in hand
  const topic = await redis.topic();
  const seen: number[] = [];
  const first = redis.log.consumer({
    group: 'g',
    topics: topic,
    handler: (value) => {
      seen.push(Number(value));
      return value === 0 ? new Promise(() => undefined) : undefined;
    },
  });
  await first.start();
  await redis.log.producer().sendBatch(times(6, (value) => ({ topic, key: `${value}`, value })));
  await waitFor(() => seen.length === 6, { what: 'all records to be begun' });
  await first.stop({ deadlineMs: 0 });

  // when the stream's own group is moved with redis-cli
  await redis.admin.xgroup('SETID', partitionKeys(redis.connection.prefix, topic, 0).records, 'g', '0-3');

  // then the next member handles all from there
  const again: number[] = [];
  const second = redis.log.consumer({ group: 'g', topics: topic, handler: (value) => void again.push(Number(value)) });
  await second.start();
  await waitFor(async () => (await redis.log.groups.lag('g')).every(({ lag }) => lag === 0), { what: 'the end' });
  expect(again.sort()).toEqual([3, 4, 5]);
  await second.stop();
});
