import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '@millrace/testing';
import { LogOnRedis, times } from './log-on-redis.js';
import { MemberProgram } from './member-program.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

describe('when a member is killed', () => {
  it('the others handle what it had in hand, without waiting for its lease', async () => {
    // given three processes that share six partitions, with leases and sessions that outlast this test
    const topic = await redis.topic({ partitions: 6 });
    const lasting = { leaseMs: 600_000, sessionTimeoutMs: 600_000 };
    const options = { group: 'killed', topics: topic, ...lasting, handlerMs: 20 };
    const members = await Promise.all(times(3, () => MemberProgram.start(redis.server.connection, options)));
    const owned = async () => (await redis.log.groups.lag('killed')).map(({ owner }) => owner);
    await waitFor(async () => new Set(await owned()).size === 3, { what: 'all three to own something' });
    const producer = redis.log.producer();
    const send = (from: number) =>
      producer.sendBatch(times(300, (index) => ({ topic, key: `key-${index % 50}`, value: from + index })));
    await send(0);
    await waitFor(() => members.every((member) => member.handled.length > 20), { what: 'all three to be at work' });

    // when one of them gets a kill −9 in the middle of its work
    await members[1]?.program.kill('SIGKILL');
    await send(300);

    // then every record was handled, and by each process in the order of its key
    const values = () => new Set(members.flatMap((member) => member.handled.map((line) => line.value)));
    await waitFor(() => values().size === 600, { what: 'all records to be handled', timeoutMs: 60_000 });
    await Promise.all(members.map((member) => member.program.isRunning && member.end()));
    for (const { handled } of members) {
      for (const key of new Set(handled.map((line) => line.key))) {
        const ofKey = handled.filter((line) => line.key === key).map((line) => Number(line.value));
        expect(ofKey).toEqual(ofKey.toSorted((a, b) => a - b));
      }
    }
    expect(await redis.log.groups.lag('killed')).toMatchObject(times(6, () => ({ lag: 0 })));
  }, 120_000);

  it('a partition of a member whose host is gone moves when its lease has run out', async () => {
    // given a member whose death no connection shows: it is frozen, its sockets stay open
    const topic = await redis.topic({ partitions: 2 });
    const options = { group: 'frozen', topics: topic, leaseMs: 1500 };
    const [frozen, other] = await Promise.all(times(2, () => MemberProgram.start(redis.server.connection, options)));
    await waitFor(async () => (await redis.log.groups.describe('frozen')).members.length === 2, {
      what: 'two members',
    });

    // when it freezes for good
    await frozen?.program.freeze();
    await redis.log.producer().sendBatch(times(20, (value) => ({ topic, partition: value % 2, value })));

    // then the other handles everything
    await other?.hasSaid('handled', 20);
    expect(new Set(other?.handled.map((line) => line.partition))).toEqual(new Set([0, 1]));
    await other?.end();
  }, 120_000);
});
