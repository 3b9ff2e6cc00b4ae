import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { waitFor } from '@millrace/testing';
import { appendBatch } from '../../libs/log/src/store/append.js';
import { partitionKeys } from '../../libs/log/src/store/keys.js';
import { forgetIdleProducers } from '../../libs/log/src/store/retention.js';
import { LogOnRedis } from './log-on-redis.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

it('upkeep forgets a producer that was silent for long enough, and leaves one that was not its idempotence', async () => {
  // given a batch of a producer whose reply was lost
  const topic = await redis.topic();
  const { id } = await redis.log.describeTopic(topic);
  const keys = partitionKeys(redis.connection.prefix, topic, 0);
  const client = redis.connection.commands;
  const identity = { producerId: 'producer', epoch: 0, sequence: 0 };
  const send = () =>
    appendBatch(client, keys, { topicId: id, count: 2, maxTimestamp: 1, frame: Buffer.from('frame'), identity });
  expect(await send()).toMatchObject({ kind: 'appended', baseOffset: 0 });

  // when upkeep passes by, then the batch that is sent again is still recognised
  await forgetIdleProducers(client, keys, '0', 60_000);
  expect(await send()).toMatchObject({ kind: 'appended', baseOffset: 0 });

  // when it is sent again long after, then that too counts as a sign of life
  const [epoch, sequence, , ...bases] = ((await redis.admin.hget(keys.producers, 'producer')) ?? '').split(' ');
  await redis.admin.hset(keys.producers, 'producer', [epoch, sequence, 1, ...bases].join(' '));
  expect(await send()).toMatchObject({ kind: 'appended', baseOffset: 0 });
  await forgetIdleProducers(client, keys, '0', 60_000);
  expect(await redis.admin.exists(keys.producers)).toBe(1);

  // when the producer has been silent for longer than it is remembered, then nothing of it is left
  const isForgotten = async () => {
    await forgetIdleProducers(client, keys, '0', 0);
    return (await redis.admin.exists(keys.producers)) === 0;
  };
  await waitFor(isForgotten, { what: 'the producer to be forgotten' });
});
