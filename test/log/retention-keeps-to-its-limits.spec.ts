import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InvalidMessageError, WriteError } from '@millrace/core';
import { waitFor } from '@millrace/testing';
import { partitionKeys } from '../../libs/log/src/store/keys.js';
import { trimSlice } from '../../libs/log/src/store/retention.js';
import { LogOnRedis, times } from './log-on-redis.js';

describe('retention', () => {
  let redis: LogOnRedis;
  beforeAll(async () => {
    redis = await LogOnRedis.start();
  });
  afterAll(() => redis.stop());

  async function fill(topic: string, batches: number, timestamp?: (batch: number) => number): Promise<void> {
    const producer = redis.log.producer();
    for (let batch = 0; batch < batches; batch++) {
      const at = timestamp === undefined ? {} : { timestamp: timestamp(batch) };
      await producer.sendBatch(times(10, (n) => ({ topic, value: batch * 10 + n, ...at })));
    }
    await producer.close();
  }

  it('removes whole batches by number, keeping at least the limit', async () => {
    const topic = await redis.topic({ retention: { maxRecords: 25 } });
    await fill(topic, 20);
    await redis.log.applyRetention(topic);
    expect(await redis.log.beginOffset(topic, 0)).toBe(170);
    expect((await redis.records(topic))[0]).toMatchObject({ offset: 170, value: 170 });
  });

  it('removes by bytes, and counts what is left', async () => {
    const topic = await redis.topic({ retention: { maxBytes: 1000 } });
    await fill(topic, 50);
    await redis.log.applyRetention(topic);
    const [state] = (await redis.log.describeTopic(topic)).partitionStates;
    const entries = await redis.admin.xrangeBuffer(`millrace:{log:${topic}:0}:records`, '-', '+');
    const stored = entries.reduce((sum, [, fields]) => sum + (fields[1]?.length ?? 0), 0);
    expect(state?.bytes).toBe(stored);
    expect(stored).toBeGreaterThanOrEqual(1000);
    expect(stored).toBeLessThan(1100);
  });

  it('removes by age; one timestamp from the future does not stop it', async () => {
    const topic = await redis.topic({ retention: { maxAgeMs: 3_600_000 } });
    const now = Date.now();
    await fill(topic, 10, (batch) => now - (10 - batch) * 1_000_000);
    await redis.log.applyRetention(topic);
    expect(await redis.log.beginOffset(topic, 0)).toBe(70);
    await redis.log.producer().send({ topic, value: 'future', timestamp: now + 1e12 });
    await redis.log.alterTopic(topic, { retention: { maxAgeMs: 1 } });
    await waitFor(
      async () => {
        await redis.log.applyRetention(topic);
        return (await redis.log.beginOffset(topic, 0)) === 101;
      },
      { what: 'all to expire' },
    );
  });

  it('that expires counts and emits what registered groups had not read', async () => {
    // given
    const topic = await redis.topic({ retention: { maxRecords: 20 } });
    const stream = `millrace:{log:${topic}:0}:records`;
    await redis.admin.xgroup('CREATE', stream, 'slow', '0-0', 'MKSTREAM');
    await redis.admin.xgroup('CREATE', stream, 'fast', '0-0');
    await fill(topic, 10);
    await redis.admin.xgroup('SETID', stream, 'slow', '0-45');
    await redis.admin.xgroup('SETID', stream, 'fast', '0-100');
    const emitted: unknown[] = [];
    redis.log.events.on('records-expired-unread', (event) => emitted.push(event));
    // when
    await redis.log.applyRetention(topic);
    // then
    expect(emitted).toEqual([{ topic, partition: 0, group: 'slow', count: 35 }]);
    expect(await redis.admin.hgetall(`millrace:{log:${topic}:0}:expired`)).toEqual({ slow: '35' });
  });

  it('that rejects gives producers an error until the slowest group has read', async () => {
    // given
    const topic = await redis.topic({ retention: { maxRecords: 20, unread: 'reject' } });
    const stream = `millrace:{log:${topic}:0}:records`;
    await redis.admin.xgroup('CREATE', stream, 'slow', '0-0', 'MKSTREAM');
    await fill(topic, 2);
    const producer = redis.log.producer();
    // when
    const refused = await producer.send({ topic, value: 'too much' }).catch((error: unknown) => error);
    // then
    expect(refused).toBeInstanceOf(WriteError);
    expect(refused).toMatchObject({ failure: 'full', mayBeWritten: false });
    await redis.admin.xgroup('SETID', stream, 'slow', '0-15');
    expect(await producer.send({ topic, value: 'fits' })).toMatchObject({ offset: 20 });
  });

  it('runs by itself, in one process at a time, and goes on when that one is gone', async () => {
    const topic = await redis.topic({ retention: { maxRecords: 10 } });
    const keeper = await redis.another({}, { retentionIntervalMs: 20 });
    keeper.producer();
    await fill(topic, 10);
    await waitFor(async () => (await redis.log.beginOffset(topic, 0)) === 90, { what: 'the upkeep' });
    await waitFor(() => redis.admin.get(`millrace:{log:${topic}:0}:upkeep`), { what: 'a process to have its lease' });
    await keeper.close();
    const heir = await redis.another({}, { retentionIntervalMs: 20 });
    heir.producer();
    await fill(topic, 1);
    await waitFor(async () => (await redis.log.beginOffset(topic, 0)) === 100, { what: 'the upkeep of the heir' });
  });

  it('is the work of one process at a time, for as long as its lease lasts', async () => {
    // given a process that has the upkeep of a partition, which then passes its limit
    const topic = await redis.topic({ retention: { maxRecords: 10 } });
    const described = await redis.log.describeTopic(topic);
    const keys = partitionKeys(redis.connection.prefix, topic, 0);
    await redis.admin.set(keys.upkeep, 'one');
    await fill(topic, 10);
    // when another process comes, then it leaves the partition alone
    const trimAs = (owner: string) =>
      trimSlice(redis.connection.commands, keys, { topic: described, lease: { owner, leaseMs: 60_000 } });
    expect(await trimAs('another')).toEqual({ kind: 'not-ours' });
    expect(await redis.log.beginOffset(topic, 0)).toBe(0);
    // when the one comes, then it does its work, and keeps the lease for a while
    expect(await trimAs('one')).toMatchObject({ kind: 'trimmed', start: 90 });
    expect(await redis.admin.pttl(keys.upkeep)).toBeGreaterThan(0);
  });

  it('lets an operator delete the records before an offset, also inside a batch', async () => {
    const topic = await redis.topic();
    await fill(topic, 10);
    expect(await redis.log.deleteRecords(topic, 0, 34)).toBe(34);
    expect(await redis.log.beginOffset(topic, 0)).toBe(34);
    expect((await redis.records(topic)).map(({ value }) => value)).toEqual(times(66, (n) => 34 + n));
    expect(await redis.log.deleteRecords(topic, 0, 5)).toBe(34);
    expect(await redis.log.deleteRecords(topic, 0, 1e9)).toBe(100);
    expect(await redis.records(topic)).toEqual([]);
    await expect(redis.log.deleteRecords(topic, 1, 5)).rejects.toThrow(InvalidMessageError);
    await fill(topic, 1);
    expect((await redis.records(topic)).map(({ offset }) => offset)).toEqual(times(10, (n) => 100 + n));
  });
});
