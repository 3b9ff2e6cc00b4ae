import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { waitFor } from '@millrace/testing';
import { groupKeys } from '../../libs/log/src/store/keys.js';
import { LogOnRedis, times } from './log-on-redis.js';

let redis: LogOnRedis;
beforeEach(async () => {
  redis = await LogOnRedis.start({ aof: 'always' });
});
afterEach(() => redis.stop());

/** A consumer that notes what it handles and the events it gets. */
async function noting(group: string, leaseMs: number) {
  const topic = await redis.topic({ partitions: 2 });
  const log = await redis.another();
  const seen: number[] = [];
  const consumer = log.consumer({ group, topics: topic, leaseMs, handler: (value) => void seen.push(Number(value)) });
  await consumer.start();
  const send = async (from: number) => {
    await redis.connection.whenReady(10_000);
    await redis.log.producer().sendBatch(times(20, (index) => ({ topic, partition: index % 2, value: from + index })));
  };
  const sees = (count: number) => waitFor(() => new Set(seen).size === count, { what: `${count} records` });
  return { consumer, seen, send, sees };
}

async function lags(group: string): Promise<number[]> {
  return (await redis.log.groups.lag(group)).map(({ lag }) => lag);
}

describe('a consumer', () => {
  it('comes back by itself after a restart of Redis, with its work where it was', async () => {
    // given a member at work
    const { consumer, seen, send, sees } = await noting('restart', 10_000);
    const commits = () =>
      waitFor(async () => (await lags('restart')).every((lag) => lag === 0), { what: 'the commits' });
    await send(0);
    await sees(20);
    await commits();

    // when Redis is killed and comes back, twice
    for (const from of [20, 40]) {
      await redis.server.kill();
      await redis.server.restart();
      await send(from);
      await sees(from + 20);
      await commits();
    }

    // then it handled everything, and nothing twice that it had committed
    expect(seen).toHaveLength(60);
    await consumer.stop();
  });

  it('commits what was done during an outage, without a new record', async () => {
    // given a record in hand when Redis goes away
    const topic = await redis.topic();
    const log = await redis.another();
    let finish = (): void => undefined;
    const inHand = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const seen: unknown[] = [];
    const handler = async (value: unknown) => {
      seen.push(value);
      await inHand;
    };
    const consumer = log.consumer({ group: 'outage', topics: topic, leaseMs: 60_000, commitIntervalMs: 1, handler });
    await consumer.start();
    await redis.log.producer().send({ topic, value: 1 });
    await waitFor(() => seen.length === 1, { what: 'the record to be begun' });
    await redis.server.kill();

    // when it ends meanwhile, and its commits fail, one after the other
    finish();
    await waitFor(
      () =>
        consumer.commit().then(
          () => false,
          () => true,
        ),
      { what: 'a commit to fail' },
    );
    await expect(consumer.commit()).rejects.toThrow();
    await redis.server.restart();

    // then it is committed once Redis is back
    await redis.connection.whenReady(10_000);
    await waitFor(async () => (await lags('outage')).every((lag) => lag === 0), { what: 'the commit' });
    expect(seen).toEqual([1]);
    await consumer.stop();
  });

  it('stops writing when Redis hangs for longer than its lease, and goes on when it replies', async () => {
    // given a member in the middle of a record
    const topic = await redis.topic();
    const log = await redis.another();
    const lost: unknown[] = [];
    const seen: unknown[] = [];
    log.events.on('lease-lost', (event) => lost.push(event));
    let isAborted = false;
    const consumer = log.consumer({
      group: 'hangs',
      topics: topic,
      leaseMs: 1500,
      handler: async (value, { signal }) => {
        seen.push(value);
        if (seen.length > 1) return;
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        isAborted = true;
      },
    });
    await consumer.start();
    await redis.log.producer().send({ topic, value: 1 });
    await waitFor(() => seen.length === 1, { what: 'the handler to begin' });

    // when Redis hangs until the lease is over, and goes on
    await redis.server.freeze();
    await waitFor(() => isAborted, { what: "the handler's signal to be aborted" });
    redis.server.thaw();

    // then the same owner handles the record again, since no other member had taken the partition
    await waitFor(() => seen.length === 2, { what: 'the record to come again' });
    await waitFor(async () => (await lags('hangs'))[0] === 0, { what: 'the commit' });
    expect(seen).toEqual([1, 1]);
    expect(lost).toEqual([]);
    await consumer.stop();
  });

  it('drains a full Redis: reading and committing need no memory of it', async () => {
    // given a Redis that takes no more
    const { consumer, send, sees } = await noting('full', 10_000);
    consumer.pause();
    await send(0);
    await redis.admin.config('SET', 'maxmemory', '1mb');
    await expect(redis.admin.set('x', 'y')).rejects.toThrow(/OOM/);

    // when the group handles what is there
    consumer.resume();
    await sees(20);
    await consumer.commit();

    // then that is committed, and its member goes on to extend its session
    expect(await lags('full')).toEqual([0, 0]);
    const { members } = groupKeys(redis.connection.prefix, 'full');
    const sessionEnd = async () => Number(await redis.admin.zscore(members, consumer.memberId));
    const before = await sessionEnd();
    await waitFor(async () => (await sessionEnd()) > before, { what: 'a heartbeat' });
    await consumer.stop();
  });
});
