import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RedisConnection } from '@millrace/redis';
import { type RedisServer, startRedis, stopEverything } from '@millrace/testing';
import fc from 'fast-check';
import { holds, shownSeeds } from '../fuzz-seed.js';
import { happenings, PartitionUnderSchedule } from './partition-under-schedule.js';

describe(`a partition under any schedule (${shownSeeds})`, () => {
  let server: RedisServer;
  let connection: RedisConnection;
  let owner: ReturnType<RedisServer['client']>;
  beforeAll(async () => {
    server = await startRedis();
    owner = server.client();
    connection = await new RedisConnection(server.connection).open();
  });
  afterAll(async () => {
    connection.close();
    await stopEverything();
  });

  it('has one owner an epoch, takes no stale commit, never goes back, and has dense offsets', async () => {
    let count = 0;
    const property = fc.asyncProperty(fc.array(happenings, { minLength: 5, maxLength: 60 }), async (schedule) => {
      // given
      const under = await PartitionUnderSchedule.start(connection.commands, owner, `t${process.pid}-${count++}`);
      // when appends, takeovers, commits, releases, deaths and expired leases come in this order
      for (const happening of schedule) {
        await under.make(happening);
        // then
        expect(await under.problems()).toEqual([]);
      }
    });
    await holds(property, 60);
  }, 240_000);
});
