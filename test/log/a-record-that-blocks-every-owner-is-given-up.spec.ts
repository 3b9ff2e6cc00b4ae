import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '@millrace/testing';
import { LogOnRedis } from './log-on-redis.js';
import { MemberProgram } from './member-program.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

describe('a record that blocks the event loop of each of its owners for longer than the lease', () => {
  it.each([
    ['records', 2, false],
    ['records', 1, false],
    ['batches', 2, true],
  ])(
    'is dead-lettered alone: in %s, after %d returns',
    async (_what, deliveryLimit, inBatches) => {
      // given two processes of a group, and a record that blocks the one that handles it
      const topic = await redis.topic({ partitions: 1 });
      const group = `blocked-${deliveryLimit}-${inBatches}`;
      const goOn = (name: string) => join(redis.server.dir, `${group}-${name}`);
      const options = { group, topics: topic, leaseMs: 900, retry: false, deliveryLimit, inBatches } as const;
      const start = async (name: string) => {
        const blocking = { blockOnValue: 'blocks', blockUntil: goOn(name), batch: { maxRecords: 1 } };
        return { name, member: await MemberProgram.start(redis.server.connection, { ...options, ...blocking }) };
      };
      const owners = [await start('first'), await start('second')];
      const deliveries = () =>
        owners
          .flatMap(({ name, member }) => member.lines('begun').map((line) => ({ ...line, name })))
          .filter(({ value }) => value === 'blocks')
          .sort((a, b) => a.at - b.at);
      const send = (...values: string[]) =>
        redis.log.producer().sendBatch(values.map((value) => ({ topic, key: value, value })));
      const isDone = async () => (await redis.log.groups.lag(group))[0]?.lag === 0;
      await send('before');
      await waitFor(isDone, { what: 'the first record to be done', timeoutMs: 30_000 });
      await send('blocks', 'after');

      // when each owner is blocked until the other has the record
      let released = 0;
      const releaseEarlierOwners = () => {
        for (const { name } of deliveries().slice(released, -1)) {
          writeFileSync(goOn(name), '');
          released++;
        }
      };
      const isOver = () => {
        releaseEarlierOwners();
        return deliveries().length > deliveryLimit + 1 || isDone();
      };
      await waitFor(isOver, { what: 'the end', timeoutMs: 60_000 });

      // then it came back no more often than it may, as no failed attempt; it alone is a dead letter, which says why
      expect(deliveries().length).toBeLessThanOrEqual(deliveryLimit + 1);
      expect(new Set(deliveries().map(({ attempt }) => attempt))).toEqual(new Set([1]));
      const dead = await redis.records(`${topic}.dead-letters`);
      expect(dead.map(({ value }) => value)).toEqual(['blocks']);
      expect(dead[0]?.headers).toMatchObject({
        'millrace-reason': 'delivery_limit',
        'millrace-attempts': 1,
        'millrace-error-message': expect.stringMatching(
          new RegExp(`process ended, or the lease .* expired while it was handled, ${deliveryLimit + 1} times`),
        ),
      });
      const handled = owners.flatMap(({ member }) => member.handled.map(({ value }) => value));
      expect(new Set(handled)).toEqual(new Set(['before', 'after']));
      await Promise.all(owners.map(({ member }) => member.program.kill('SIGKILL')));
    },
    120_000,
  );
});
