import { existsSync } from 'node:fs';
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

describe('an owner whose lease ran out', () => {
  it('writes no dead letter of what it gives up: the next owner decides', async () => {
    // given an owner whose handler blocks until another process has done the record, and then fails for good
    const topic = await redis.topic({ partitions: 1 });
    await redis.log.declareTopic({ name: `${topic}.dead-letters`, partitions: 1 });
    const isDone = join(redis.server.dir, 'is-done');
    const options = { group: 'stale', topics: topic, leaseMs: 1500, retry: false } as const;
    const log = await redis.another();
    let isLost = false;
    log.events.on('lease-lost', () => {
      isLost = true;
    });
    const owner = log.consumer({
      ...options,
      handler: () => {
        const until = performance.now() + 30_000;
        while (!existsSync(isDone) && performance.now() < until);
        throw new Error('too late');
      },
    });
    await owner.start();
    const other = await MemberProgram.start(redis.server.connection, { ...options, leavesFile: isDone });

    // when that has happened
    await redis.log.producer().send({ topic, value: 1 });
    await waitFor(() => isLost, { what: 'the owner to find out', timeoutMs: 30_000 });
    await owner.stop();
    await log.close();

    // then the record is done, and no dead letter says otherwise
    expect(other.handled.map(({ value }) => value)).toEqual([1]);
    expect(await redis.records(`${topic}.dead-letters`)).toEqual([]);
    await other.end();
  }, 60_000);
});
