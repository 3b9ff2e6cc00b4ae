import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '@millrace/testing';
import { LogOnRedis, times } from './log-on-redis.js';
import { MemberProgram } from './member-program.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

describe('a group', () => {
  it('goes on after the committed offset, which is the stream’s own group', async () => {
    // given a member that handled ten records and stopped
    const topic = await redis.topic();
    const handled: unknown[] = [];
    const options = { group: 'resume', topics: topic, handler: (value: unknown) => void handled.push(value) };
    await redis.log.producer().sendBatch(times(10, (value) => ({ topic, value })));
    const first = redis.log.consumer(options);
    await first.start();
    await waitFor(() => handled.length === 10, { what: 'ten records' });
    await first.stop();

    // when more is written and another member starts
    await redis.log.producer().sendBatch(times(5, (value) => ({ topic, value: 10 + value })));
    const second = redis.log.consumer(options);
    await second.start();
    await waitFor(() => handled.length === 15, { what: 'fifteen records' });
    await second.stop();

    // then each was handled once, and any Redis tool sees the offset
    expect(handled).toEqual(times(15, (value) => value));
    const groups = await redis.admin.call('XINFO', 'GROUPS', `millrace:{log:${topic}:0}:records`);
    expect(JSON.stringify(groups)).toContain('"0-15"');
  });

  it('does not repeat after a kill what was done out of order and committed', async () => {
    // given a process that hangs on the first record while it handles all the others
    const topic = await redis.topic();
    const options = { group: 'out-of-order', topics: topic, commitIntervalMs: 10, leaseMs: 60_000 };
    await redis.log.producer().sendBatch(times(50, (value) => ({ topic, key: `key-${value}`, value })));
    const handled: unknown[] = [];
    const log = await redis.another();
    const stuck = log.consumer({
      ...options,
      handler: (value) => (value === 0 ? new Promise(() => undefined) : void handled.push(value)),
    });
    await stuck.start();
    await waitFor(() => handled.length === 49, { what: 'all but the first record' });
    await stuck.commit();
    expect(stuck.assignment).toMatchObject([{ committed: 0 }]);

    // when it is given up and another process takes over
    await stuck.stop({ deadlineMs: 0 });
    const next = await MemberProgram.start(redis.server.connection, options);
    await next.hasSaid('handled');
    await waitFor(async () => (await redis.log.groups.lag('out-of-order'))[0]?.lag === 0, { what: 'the commit' });

    // then that handles the first record alone
    expect(next.handled.map((line) => line.value)).toEqual([0]);
    await next.end();
  });
});
