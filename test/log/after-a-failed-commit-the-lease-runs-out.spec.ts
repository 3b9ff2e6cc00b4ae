import { afterAll, beforeAll, expect } from '@jest/globals';
import { waitFor } from '@millrace/testing';
import { groupPartitionKey } from '../../libs/log/src/store/keys.js';
import { onOneServer } from '../one-server.js';
import { LogOnRedis } from './log-on-redis.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

onOneServer('acl').it('a member that stops and cannot commit leaves its lease to run out', async () => {
  // given a member of a user of its own, which has handled a record and is not to commit by itself for long
  const topic = await redis.topic();
  const hash = groupPartitionKey(redis.connection.prefix, topic, 0, 'g');
  const grant = (...rules: string[]) => redis.admin.call('ACL', 'SETUSER', 'member', ...rules);
  await grant('on', '>secret', '~*', '&*', '+@all');
  const log = await redis.another({ username: 'member', password: 'secret' });
  const seen: unknown[] = [];
  const options = { group: 'g', topics: topic, leaseMs: 60_000, commitIntervalMs: 60_000 };
  const consumer = log.consumer({ ...options, handler: (value) => void seen.push(value) });
  await consumer.start();
  await redis.log.producer().send({ topic, value: 1 });
  await waitFor(() => seen.length === 1, { what: 'the record' });

  // when it may reach nothing but the hash with its lease any more, and stops
  await grant('resetkeys', `~${hash}`);
  await consumer.stop({ deadlineMs: 1000 });

  // then the offset did not move, and the lease is still down as its own
  expect(await redis.log.groups.lag('g')).toMatchObject([{ committed: 0, lag: 1 }]);
  expect(await redis.admin.hget(hash, 'owner')).toContain(consumer.memberId);
  expect(Number(await redis.admin.hget(hash, 'until'))).toBeGreaterThan(0);
  // What was refused was to be.
  await redis.admin.call('ACL', 'LOG', 'RESET');
});
