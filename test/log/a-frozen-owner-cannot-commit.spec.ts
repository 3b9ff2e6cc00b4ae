import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '@millrace/testing';
import { LogOnRedis, times } from './log-on-redis.js';
import { MemberProgram } from './member-program.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

const lag = async (group: string): Promise<number> =>
  (await redis.log.groups.lag(group)).reduce((sum, partition) => sum + partition.lag, 0);

describe('an owner whose lease ran out', () => {
  it.each([
    ['was frozen', 'freeze'],
    ['had its event loop blocked', 'block'],
  ] as const)(
    'and that %s cannot commit when it goes on',
    async (_what, fault) => {
      // given an owner, a second member that waits, and a record in the owner's hand that it would never finish
      const topic = await redis.topic({ partitions: 1 });
      const goOn = join(redis.server.dir, 'go-on');
      const options = { group: fault, topics: topic, leaseMs: 900, concurrency: 1 };
      const owner = await MemberProgram.start(redis.server.connection, {
        ...options,
        handlerMs: 3_600_000,
        blockUntil: goOn,
      });
      const other = await MemberProgram.start(redis.server.connection, options);
      await redis.log.producer().sendBatch(times(3, (value) => ({ topic, key: 'one', value })));
      await owner.hasSaid('begun');

      // when it stands still until the other has taken over and handled everything
      if (fault === 'freeze') await owner.program.freeze();
      else process.kill(owner.program.pid ?? 0, 'SIGUSR2');
      await other.hasSaid('handled', 3);
      await waitFor(async () => (await lag(fault)) === 0, { what: 'the other to commit everything' });
      const [place] = await redis.log.groups.lag(fault);
      if (fault === 'freeze') owner.program.thaw();
      else writeFileSync(goOn, '');

      // then it finds its lease lost, abandons what it had in hand, and the offset and the epoch stay the other's
      await owner.hasSaid('lease-lost');
      await redis.log.producer().send({ topic, key: 'one', value: 3 });
      await other.hasSaid('handled', 4);
      await waitFor(async () => (await lag(fault)) === 0, { what: 'the last record to be committed' });
      expect(await redis.log.groups.lag(fault)).toMatchObject([{ committed: 4, epoch: place?.epoch }]);
      expect(owner.lines('begun').map((line) => line.value)).toEqual([0]);
      await Promise.all([owner.program.kill('SIGKILL'), other.end()]);
    },
    120_000,
  );
});
