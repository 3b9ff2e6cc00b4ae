import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisClient, RedisConnection } from '@millrace/redis';
import { startRedis, stopEverything } from '@millrace/testing';
import { appendBatch } from '../../libs/log/src/store/append.js';
import { type Anchor, commitOffset } from '../../libs/log/src/store/commit.js';
import { partitionKeys } from '../../libs/log/src/store/keys.js';
import { acquireLease, hashOf } from '../../libs/log/src/store/lease.js';
import { readBatches } from '../../libs/log/src/store/read.js';

const leaseMs = 60_000;
const holder = { owner: 'member 1', epoch: 1 };

describe('the commit script', () => {
  let connection: RedisConnection;
  let client: RedisClient;
  beforeAll(async () => {
    connection = await new RedisConnection((await startRedis()).connection).open();
    client = connection.commands;
  });
  afterAll(async () => {
    connection.close();
    await stopEverything();
  });

  /** A partition of three batches of two records, which a member owns and has read. */
  async function ownedPartition(topic: string) {
    const place = { prefix: 'p', group: 'g', topic, partition: 0 };
    const keys = partitionKeys('p', topic, 0);
    await client.hset(keys.meta, { id: 7, version: 3, end: 0, start: 0, bytes: 0, time: 0 });
    for (let batch = 0; batch < 3; batch++)
      await appendBatch(client, keys, { topicId: 7, count: 2, maxTimestamp: 1, frame: Buffer.from('frame') });
    await acquireLease(client, place, { owner: holder.owner, leaseMs, from: 'earliest' });
    const read = await readBatches(client, keys, 0, { count: 3 });
    const commit = (offset: number, anchor: Anchor | undefined) =>
      commitOffset(client, place, holder, leaseMs, { offset, progress: Buffer.from('done'), anchor });
    const field = (name: string) => client.hget(hashOf(place), name);
    return { keys, hash: hashOf(place), read, commit, field };
  }

  it.each([
    ['the last batch of the log', 2],
    ['a batch before it', 0],
    ['no batch at all', undefined],
  ])('says that the partition is gone, whatever was read: %s', async (what, index) => {
    // given
    const { keys, read, commit, field } = await ownedPartition(`gone after ${what}`);
    // when the stream is deleted
    await client.del(keys.records);
    // then
    expect(await commit(1, index === undefined ? undefined : read[index])).toEqual({ kind: 'gone' });
    expect(await field('committed')).toBe('0');
  });

  it.each([
    ['holds another batch at its place', { endOffset: 2, nonce: '1' }],
    ['never had it', { endOffset: 3, nonce: '1' }],
    ['may have had anything, since nothing was read', undefined],
  ])('says that the log diverged when it %s', async (what, anchor) => {
    const { commit, field } = await ownedPartition(`diverged, ${what}`);
    expect(await commit(1, anchor)).toEqual({ kind: 'diverged' });
    expect(await field('committed')).toBe('0');
  });

  it('says that the lease is lost when the offset is behind the one that is committed', async () => {
    // given a commit that was sent before another, and comes after it
    const { read, commit, field } = await ownedPartition('behind');
    expect(await commit(4, read[2])).toEqual({ kind: 'committed' });
    expect(await commit(2, read[2])).toEqual({ kind: 'fenced' });
    expect(await field('committed')).toBe('4');
  });

  it('forgets the crashes of earlier owners when the offset moves, and not before', async () => {
    // given a partition whose last two owners died on the same record
    const { hash, read, commit, field } = await ownedPartition('crashes');
    await client.hset(hash, 'crashes', 2);
    // when the offsets that are done beyond the committed one are written, then
    expect(await commit(0, read[2])).toEqual({ kind: 'committed' });
    expect(await field('crashes')).toBe('2');
    expect(await field('progress')).toBe('done');
    // when the offset moves, then
    expect(await commit(2, read[2])).toEqual({ kind: 'committed' });
    expect(await field('crashes')).toBe('0');
    expect(await field('committed')).toBe('2');
  });
});
