import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OptionsError } from '@millrace/core';
import { Consumers, Millrace, MillraceModule } from '@millrace/nestjs';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { connectionTo, startApplication } from './application.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

describe('forRoot({ log })', () => {
  it('says how long a group without members is kept, and how often that is looked for', async () => {
    // given an application that keeps the offsets of a group for a moment
    const options = connectionTo(redis, { log: { retentionIntervalMs: 10, offsetsRetentionMs: 1 } });
    const application = await startApplication(options, {
      imports: [MillraceModule.forFeature({ topics: [{ name: 'orders' }] })],
    });
    const { events, log } = application.get(Millrace);
    const expired: string[] = [];
    events.on('group-expired', ({ group }) => expired.push(group));
    // when the only member of a group leaves
    const laptop = await application.get(Consumers).subscribeLog({ topic: 'orders', group: 'laptop' }, () => undefined);
    await laptop.stop();
    // then
    await waitFor(() => expired.includes('laptop'), { what: 'the group to expire' });
    expect(await log.groups.list()).not.toContain('laptop');
    await application.close();
  });

  it('is checked at the start', () => {
    const wrong = { connection: { url: redis.url }, log: { offsetsRetentionMs: -1 } };
    expect(() => MillraceModule.forRoot(wrong)).toThrow(OptionsError);
    expect(() => MillraceModule.forRoot(wrong)).toThrow(/offsetsRetentionMs must be .*got -1/);
  });
});
