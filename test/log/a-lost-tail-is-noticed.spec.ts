import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { OffsetOutOfRangeError } from '@millrace/log';
import { waitFor } from '@millrace/testing';
import { LogOnRedis, times } from './log-on-redis.js';

let redis: LogOnRedis;
beforeEach(async () => {
  redis = await LogOnRedis.start({ config: { save: '3600 1' } });
});
afterEach(() => redis.stop());

describe('a log that lost its tail', () => {
  it('is noticed by a group that had read further, also when other records have taken the lost offsets', async () => {
    // given a member that has read ten records, of which Redis has only five on disk
    const topic = await redis.topic();
    const log = await redis.another();
    const seen: unknown[] = [];
    const moved: unknown[] = [];
    log.events.on('offset-out-of-range', (event) => moved.push(event));
    const consumer = log.consumer({ group: 'tail', topics: topic, handler: (value) => void seen.push(value) });
    await consumer.start();
    const producer = redis.log.producer();
    await producer.sendBatch(times(5, (value) => ({ topic, value: `kept ${value}` })));
    await waitFor(() => consumer.assignment[0]?.committed === 5, { what: 'five commits' });
    await redis.admin.save();
    await producer.sendBatch(times(5, (value) => ({ topic, value: `lost ${value}` })));
    await waitFor(() => consumer.assignment[0]?.committed === 10, { what: 'ten commits' });

    // when it loses power and comes back, and others write before the member is back
    await redis.server.kill();
    await redis.server.restart();
    await redis.connection.whenReady(10_000);
    await redis.log.producer().sendBatch(times(8, (value) => ({ topic, value: `new ${value}` })));

    // then the member says so and handles everything that is in the log now
    const news = () => new Set(seen.filter((value) => String(value).startsWith('new')));
    await waitFor(() => news().size === 8, { what: 'the new records' });
    await waitFor(async () => (await redis.log.groups.lag('tail'))[0]?.lag === 0, { what: 'the commit' });
    expect(moved).toMatchObject([{ topic, partition: 0, group: 'tail', from: 10, why: 'log-truncated' }]);
    await consumer.stop();
  });

  it('is noticed by a reader without a group, also when other records have taken the lost offsets', async () => {
    // given a reader that has read ten records, of which Redis has only five on disk
    const topic = await redis.topic();
    const producer = redis.log.producer();
    await producer.sendBatch(times(5, (value) => ({ topic, value: `kept ${value}` })));
    await redis.admin.save();
    await producer.sendBatch(times(5, (value) => ({ topic, value: `lost ${value}` })));
    const reading = redis.log.read({ topic, partition: 0, tail: true });
    for (let n = 0; n < 10; n++) await reading.next();

    // when it loses power and comes back, and others write before the reader asks for more
    await redis.server.kill();
    await redis.server.restart();
    await redis.connection.whenReady(10_000);
    await redis.log.producer().sendBatch(times(8, (value) => ({ topic, value: `new ${value}` })));

    // then it gets an error, and not the rest of records whose beginning it did not see
    const next = reading.next();
    await expect(next).rejects.toThrow(OffsetOutOfRangeError);
    await expect(next).rejects.toThrow(
      /offset 9 is not in the log: a failover lost it, and another record has this offset now/,
    );
  });

  it('sends a group whose offset is past its end to the end', async () => {
    // given a group that committed more than the log holds now
    const topic = await redis.topic();
    await redis.log.producer().sendBatch(times(5, (value) => ({ topic, value })));
    await redis.log.groups.resetOffsets('past', { topic, to: 5 });
    await redis.admin.call('XGROUP', 'SETID', `millrace:{log:${topic}:0}:records`, 'past', '0-9');

    // when a member takes it up
    const log = await redis.another();
    const moved: unknown[] = [];
    const seen: unknown[] = [];
    log.events.on('offset-out-of-range', (event) => moved.push(event));
    const consumer = log.consumer({ group: 'past', topics: topic, handler: (value) => void seen.push(value) });
    await consumer.start();
    await redis.log.producer().send({ topic, value: 'next' });

    // then it goes on from the end, and says so
    await waitFor(() => seen.length === 1, { what: 'the next record' });
    expect(seen).toEqual(['next']);
    expect(moved).toMatchObject([{ from: 9, to: 5, why: 'log-truncated' }]);
    await consumer.stop();
  });
});
