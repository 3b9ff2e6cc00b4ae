import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { commitOffset } from '../../libs/log/src/store/commit.js';
import { acquireLease, hashOf, releaseLease, renewLeases } from '../../libs/log/src/store/lease.js';
import { LogOnRedis, times } from './log-on-redis.js';

const leaseMs = 60_000;
const owner = 'member 1';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

/** A partition that one process has taken twice, as after an outage: what it still sends under the first epoch is stale. */
async function takenTwice() {
  const topic = await redis.topic();
  await redis.log.producer().sendBatch(times(3, (value) => ({ topic, value })));
  const client = redis.connection.commands;
  const place = { prefix: redis.connection.prefix, group: 'g', topic, partition: 0 };
  for (let time = 0; time < 2; time++) await acquireLease(client, place, { owner, leaseMs, from: 'earliest' });
  const state = () => redis.admin.hgetall(hashOf(place));
  return { client, place, state, before: await state() };
}

describe('a process that has taken a partition again', () => {
  it.each(['commit', 'renew', 'release'] as const)('changes nothing by a %s under its old epoch', async (what) => {
    const { client, place, state, before } = await takenTwice();
    const stale = { owner, epoch: 1 };
    if (what === 'renew') expect(await renewLeases(client, [{ ...stale, place, leaseMs: 1 }])).toEqual([undefined]);
    if (what === 'release') await releaseLease(client, place, stale);
    if (what === 'commit') {
      const commit = { offset: 0, progress: Buffer.from('stale'), anchor: undefined };
      expect(await commitOffset(client, place, stale, 1, commit)).toEqual({ kind: 'fenced' });
    }
    expect(await state()).toEqual(before);
  });
});
