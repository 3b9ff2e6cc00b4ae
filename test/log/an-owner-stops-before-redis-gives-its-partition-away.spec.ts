import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Ownership } from '../../libs/log/src/group/ownership.js';
import type { PartitionTaker } from '../../libs/log/src/group/partition-taker.js';
import { HeldLease } from '../../libs/log/src/partition/held-lease.js';
import { PartitionOffsets } from '../../libs/log/src/partition/partition-offsets.js';
import type { PartitionWorker } from '../../libs/log/src/partition/partition-worker.js';
import { acquireLease } from '../../libs/log/src/store/lease.js';
import { onOneServer } from '../one-server.js';
import { LogOnRedis } from './log-on-redis.js';

const leaseMs = 600;
/** Longer than the lease: a reply that comes after it is out of date. */
const pauseMs = 900;

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

/** The lease of an owner, as Redis gave it. */
async function ownedPartition() {
  const topic = await redis.topic();
  await redis.log.producer().send({ topic, value: 1 });
  const place = { prefix: redis.connection.prefix, group: 'g', topic, partition: 0 };
  const sentAt = performance.now();
  const reply = await acquireLease(redis.connection.commands, place, { owner: 'me 1', leaseMs, from: 'earliest' });
  if (reply.kind !== 'acquired') throw new Error(`the lease is ${reply.kind}`);
  const { epoch, topicId } = reply;
  return new HeldLease(place, { owner: 'me 1', epoch, topicId, leaseMs, rewinds: 0, sentAt });
}

onOneServer('pause').describe('an owner stops before Redis gives its partition away', () => {
  it('also when the reply to its commit came late', async () => {
    // given what is done and not committed
    const lease = await ownedPartition();
    const offsets = new PartitionOffsets(
      lease,
      { committed: 0, progress: { done: [], attempts: new Map() } },
      {
        client: () => redis.connection.commands,
        anchor: () => undefined,
        onChange: () => undefined,
        onCommit: () => undefined,
      },
    );
    offsets.failed(0, 1);
    // when Redis stands still for longer than the lease
    await redis.admin.call('CLIENT', 'PAUSE', pauseMs, 'ALL');
    // then the commit gets its reply, and the lease, by then, has expired
    expect(await offsets.commit()).toBe('committed');
    expect(lease.isValid(performance.now())).toBe(false);
  });

  it('also when the reply to its renewal came late', async () => {
    // given an owner whose lease is due
    const lease = await ownedPartition();
    lease.markUncertain(performance.now());
    const { topic } = lease.place;
    const lifted: string[] = [];
    const worker = {
      topic,
      partition: 0,
      lease,
      holds: { has: () => true, lift: (hold: string) => lifted.push(hold) },
      offsets: { confirmed: 0 },
      anchor: undefined,
      isClosed: false,
      suspend: () => undefined,
      close: () => undefined,
    } as unknown as PartitionWorker;
    const taker = { take: async () => worker } as unknown as PartitionTaker;
    const ownership = new Ownership({ memberId: 'me', leaseMs, revokeTimeoutMs: 1 }, taker, redis.connection.commands, {
      assigned: () => undefined,
      revoked: () => undefined,
      diverged: () => undefined,
      commit: async () => true,
      onError: () => undefined,
    });
    const assignment = new Map([['me', [{ topic, partition: 0 }]]]);
    const topics = new Map([[topic, { partitions: 1, initial: 1 }]]);
    await ownership.follow({ assignment, members: new Map(), topics } as unknown as Parameters<Ownership['follow']>[0]);
    // when Redis stands still for longer than the lease
    await redis.admin.call('CLIENT', 'PAUSE', pauseMs, 'ALL');
    await ownership.renew();
    // then nothing may be effected: by the time of the reply it may be another's
    expect(lease.isValid(performance.now())).toBe(false);
    expect(lifted).toEqual([]);
    ownership.close();
  });
});
