import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RedisConnection } from '@millrace/redis';
import { type RedisServer, startRedis, stopEverything } from '@millrace/testing';
import fc from 'fast-check';
import { resolveQueue } from '../../libs/queue/src/model/queue-settings.js';
import { holds, shownSeeds } from '../fuzz-seed.js';
import { ownPrefix } from './broker.js';
import { type Happening, happenings, QueueUnderSchedule } from './queue-under-schedule.js';

const settings = [
  { name: 'q', deliveryLimit: 3 },
  { name: 'q', priorities: 3, deliveryLimit: 1000, maxBytes: 1_000_000, keepCompleted: { count: 3 } },
  { name: 'q', singleActiveConsumer: true, deliveryLimit: 1000 },
].map((declaration) => resolveQueue({ ...declaration, deduplicationWindowMs: 0 }));

describe(`a queue under any schedule (${shownSeeds})`, () => {
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

  it.each(settings)(
    '%j: each message is in one place, and with one living consumer',
    async (queue) => {
      const property = fc.asyncProperty(fc.array(happenings, { minLength: 5, maxLength: 60 }), async (schedule) => {
        // given
        const under = await QueueUnderSchedule.start(connection.commands, owner, ownPrefix(), queue);
        // when publishes, turns, settlements, deaths, expired leases, upkeep and redrives come in this order
        for (const happening of schedule as readonly Happening[]) {
          await under.make(happening);
          // then
          expect(await under.problems()).toEqual([]);
        }
        await under.drain();
        expect(await under.problems()).toEqual([]);
        expect(under.unfinished()).toEqual([]);
      });
      await holds(property, 26);
    },
    240_000,
  );
});
