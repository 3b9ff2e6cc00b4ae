import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { commitOffset } from '../../libs/log/src/store/commit.js';
import { acquireLease, hashOf, raiseEpoch, releaseLease, renewLeases } from '../../libs/log/src/store/lease.js';
import { LogOnRedis, times } from './log-on-redis.js';

const leaseMs = 60_000;
const holder = { owner: 'member 1', epoch: 1 };

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

/** A partition whose owner has given up a handler, and raised its epoch. */
async function raised() {
  const topic = await redis.topic();
  await redis.log.producer().sendBatch(times(3, (value) => ({ topic, value })));
  const client = redis.connection.commands;
  const place = { prefix: redis.connection.prefix, group: 'g', topic, partition: 0 };
  expect(await acquireLease(client, place, { owner: holder.owner, leaseMs, from: 'earliest' })).toMatchObject({
    epoch: holder.epoch,
  });
  expect(await raiseEpoch(client, place, holder, 3)).toBe(true);
  const field = (name: string) => redis.admin.hget(hashOf(place), name);
  return { client, place, field };
}

describe('an owner that raises its epoch because it gave a handler up', () => {
  // What it sent before may come to Redis after the raise, and what it sends after it before: a script that Redis does not know
  // yet is sent twice.
  it.each(['commit', 'renew', 'release'] as const)(
    'keeps its lease, whichever comes first, it or a %s',
    async (what) => {
      const { client, place, field } = await raised();
      if (what === 'renew')
        expect(await renewLeases(client, [{ ...holder, place, leaseMs }])).toEqual([expect.anything()]);
      if (what === 'release') await releaseLease(client, place, holder);
      if (what === 'commit') {
        const commit = { offset: 0, progress: Buffer.alloc(0), anchor: undefined };
        expect(await commitOffset(client, place, holder, leaseMs, commit)).toEqual({ kind: 'committed' });
      }
      expect(await field('owner')).toBe(what === 'release' ? '' : holder.owner);
      expect(await field('epoch')).toBe('3');
    },
  );

  it('loses it to the next owner as ever, whose epoch is higher', async () => {
    const { client, place } = await raised();
    await releaseLease(client, place, holder);
    const next = await acquireLease(client, place, { owner: holder.owner, leaseMs, from: 'earliest' });
    expect(next).toMatchObject({ kind: 'acquired', epoch: 4 });
    expect(await raiseEpoch(client, place, holder, 9)).toBe(false);
    expect(await renewLeases(client, [{ ...holder, place, leaseMs }])).toEqual([undefined]);
  });
});
