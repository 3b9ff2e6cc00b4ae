import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { GroupConsumer } from '@millrace/log';
import { waitFor } from '@millrace/testing';
import { groupKeys, groupPartitionKey } from '../../libs/log/src/store/keys.js';
import { LogOnRedis, times } from './log-on-redis.js';

const group = 'g';
const partitions = 8;

let redis: LogOnRedis;
beforeEach(async () => {
  redis = await LogOnRedis.start();
});
afterEach(() => redis.stop());

/** A member that owns everything, and has nothing to do. */
async function idleMember(leaseMs: number) {
  const topic = await redis.topic({ partitions });
  const log = await redis.another();
  const lost: (number | undefined)[] = [];
  log.events.on('lease-lost', ({ partition }) => lost.push(partition));
  const consumer = log.consumer({ group, topics: topic, leaseMs, heartbeatMs: 20, handler: () => undefined });
  await consumer.start();
  const hashes = times(partitions, (partition) => groupPartitionKey(redis.connection.prefix, topic, partition, group));
  /** When each lease ends, by Redis's clock. */
  const ends = () => Promise.all(hashes.map(async (hash) => Number(await redis.admin.hget(hash, 'until'))));
  return { consumer, lost, hashes, ends };
}

async function heartbeats(consumer: GroupConsumer, count: number): Promise<void> {
  const { members } = groupKeys(redis.connection.prefix, group);
  const seen = new Set<string | null>();
  const { memberId } = consumer;
  const look = async () => seen.add(await redis.admin.zscore(members, memberId)).size > count;
  await waitFor(look, { what: `${count} heartbeats`, intervalMs: 1 });
}

async function now(): Promise<number> {
  const [seconds = 0] = await redis.admin.time();
  return Number(seconds) * 1000;
}

describe('the lease of a partition at which nothing happens', () => {
  it('is left alone by the heartbeats until it is due', async () => {
    // given a member whose leases last a minute
    const { consumer, ends } = await idleMember(60_000);
    const before = await ends();
    // when ten heartbeats go by
    await heartbeats(consumer, 10);
    // then none was renewed
    expect(await ends()).toEqual(before);
    await consumer.stop();
  });

  it('is held for longer than it lasts', async () => {
    // given a member whose leases are short
    const leaseMs = 2000;
    const { consumer, lost, ends } = await idleMember(leaseMs);
    const epochs = consumer.assignment.map(({ epoch }) => epoch);
    // when several of them have gone by
    const start = await now();
    await waitFor(async () => (await now()) >= start + leaseMs * 2, { what: 'two leases' });
    // then it has them still, the same ones, and they have not ended
    await waitFor(async () => Math.min(...(await ends())) > start + leaseMs * 2, {
      what: 'every lease to be extended',
    });
    expect(consumer.assignment.map(({ epoch }) => epoch)).toEqual(epochs);
    expect(lost).toEqual([]);
    await consumer.stop();
  });

  it('is renewed immediately when the connection was lost: Redis may have lost writes', async () => {
    // given leases that are not due for long
    const { consumer, ends } = await idleMember(3_600_000);
    const before = await ends();
    // when all connections are cut
    await redis.admin.call('CLIENT', 'KILL', 'TYPE', 'normal');
    // then every lease is renewed, and is the member's still
    const isExtended = async () => (await ends()).every((end, index) => end > (before[index] ?? 0));
    await waitFor(isExtended, { what: 'every lease to be extended' });
    expect(consumer.assignment).toHaveLength(partitions);
    await consumer.stop();
  });

  it('is found to be lost immediately by a member that the others removed', async () => {
    // given leases that are not due for long, of which another member has taken three
    const { consumer, lost, hashes } = await idleMember(3_600_000);
    for (const hash of hashes.slice(0, 3)) {
      await redis.admin.hset(hash, { owner: 'other 1', epoch: 2, until: (await now()) + 1000 });
    }
    // when it finds that it is no longer in the group
    await redis.admin.zrem(groupKeys(redis.connection.prefix, group).members, consumer.memberId);
    // then it emits lease-lost for all three, and takes them again when they are free
    await waitFor(() => lost.length === 3, { what: 'three lost leases' });
    expect([...lost].sort()).toEqual([0, 1, 2]);
    await waitFor(() => consumer.assignment.length === partitions, { what: 'all partitions to be owned again' });
    await consumer.stop();
  });

  it('is found to be lost in good time by a member that got no message about it', async () => {
    // given short leases
    const { consumer, lost, hashes } = await idleMember(1500);
    // when another member takes one
    await redis.admin.hset(hashes[5] ?? '', { owner: 'other 1', epoch: 2, until: (await now()) + 3000 });
    // then its owner emits lease-lost
    await waitFor(() => lost.length > 0, { what: 'the lost lease' });
    expect(lost).toEqual([5]);
    await consumer.stop();
  });
});
