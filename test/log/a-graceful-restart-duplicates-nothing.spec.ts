import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '@millrace/testing';
import { LogOnRedis, times } from './log-on-redis.js';
import { MemberProgram } from './member-program.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

describe('a graceful restart', () => {
  it('duplicates nothing and loses nothing, in the middle of the work', async () => {
    // given a process with sixteen records in hand at any time
    const topic = await redis.topic({ partitions: 3 });
    const options = { group: 'graceful', topics: topic, handlerMs: 3, leaseMs: 60_000, commitIntervalMs: 60_000 };
    await redis.log.producer().sendBatch(times(600, (value) => ({ topic, key: `key-${value % 100}`, value })));
    const members: MemberProgram[] = [];

    // when it is stopped and started again three times before it has handled everything
    for (let restart = 0; restart < 3; restart++) {
      const member = await MemberProgram.start(redis.server.connection, { ...options, stopAt: 50 });
      members.push(member);
      await member.program.exited;
    }
    const last = await MemberProgram.start(redis.server.connection, options);
    members.push(last);
    const handled = () => members.flatMap((member) => member.handled.map((line) => line.value));
    await waitFor(() => handled().length >= 600, { what: 'all records', timeoutMs: 20_000 });
    await last.end();

    // then each record was handled exactly once
    expect(members.slice(0, 3).every((member) => member.handled.length < 500)).toBe(true);
    expect(handled().sort((a, b) => Number(a) - Number(b))).toEqual(times(600, (value) => value));
    expect(await redis.log.groups.lag('graceful')).toMatchObject(times(3, () => ({ lag: 0 })));
  }, 120_000);

  it('abandons by its deadline what does not end, and the next owner gets it immediately', async () => {
    // given a handler that ends only when its signal is aborted
    const topic = await redis.topic();
    const log = await redis.another();
    const aborted: string[] = [];
    const stubborn = log.consumer({
      group: 'deadline',
      topics: topic,
      leaseMs: 60_000,
      handler: (_value, { signal }) =>
        new Promise(() => signal.addEventListener('abort', () => aborted.push(String(signal.reason)))),
    });
    await redis.log.producer().send({ topic, value: 'x' });
    await stubborn.start();
    await waitFor(() => stubborn.assignment[0]?.position === 1, { what: 'the record to be read' });

    // when its consumer is stopped with a short deadline
    await stubborn.stop({ deadlineMs: 20 });

    // then its signal was aborted, and another member handles the record
    expect(aborted).toEqual([expect.stringContaining('hands the partition over')]);
    const seen: unknown[] = [];
    const next = redis.log.consumer({ group: 'deadline', topics: topic, handler: (value) => void seen.push(value) });
    await next.start();
    await waitFor(() => seen.length === 1, { what: 'the record to be handled' });
    await next.stop();
  });
});
