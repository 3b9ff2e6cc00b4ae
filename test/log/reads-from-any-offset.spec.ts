import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OptionsError, UnavailableError } from '@millrace/core';
import { type LogRecord, OffsetOutOfRangeError } from '@millrace/log';
import { startProxy, waitFor } from '@millrace/testing';
import { onOneServer } from '../one-server.js';
import { LogOnRedis, times } from './log-on-redis.js';

describe('reading without a group', () => {
  let redis: LogOnRedis;
  let topic: string;
  beforeAll(async () => {
    redis = await LogOnRedis.start();
    topic = await redis.topic();
    const producer = redis.log.producer();
    for (let b = 0; b < 10; b++) {
      await producer.sendBatch(times(10, (n) => ({ topic, value: b * 10 + n, key: `k${n}`, timestamp: 1000 + b })));
    }
  });
  afterAll(() => redis.stop());

  async function values(records: AsyncIterable<LogRecord<number>>): Promise<number[]> {
    const read: number[] = [];
    for await (const { value, offset } of records) {
      expect(offset).toBe(value);
      read.push(value);
    }
    return read;
  }

  it.each([0, 1, 9, 10, 55, 99, 100])('begins at offset %d, also inside a batch, and ends at the end', async (from) => {
    expect(await values(redis.log.read({ topic, partition: 0, from }))).toEqual(times(100 - from, (n) => from + n));
  });

  it('ends before an offset, also inside a batch', async () => {
    const range = { topic, partition: 0, from: 13, to: 27 };
    expect(await values(redis.log.read(range))).toEqual(times(14, (n) => 13 + n));
  });

  it('begins at a time, at the end, and at the beginning', async () => {
    const at = { topic, partition: 0 };
    expect(await values(redis.log.read({ ...at, from: { timestamp: 1007 } }))).toEqual(times(30, (n) => 70 + n));
    expect(await values(redis.log.read({ ...at, from: 'latest' }))).toEqual([]);
    expect(await values(redis.log.read({ ...at, from: 'earliest' }))).toHaveLength(100);
    expect([await redis.log.beginOffset(topic, 0), await redis.log.endOffset(topic, 0)]).toEqual([0, 100]);
  });

  it('tails: waits for what is to come, until it is stopped', async () => {
    // given
    const live = await redis.topic();
    const producer = redis.log.producer();
    await producer.sendBatch(times(5, (value) => ({ topic: live, value })));
    const stop = new AbortController();
    const read: unknown[] = [];
    // when
    for await (const { value } of redis.log.read({ topic: live, partition: 0, tail: true, signal: stop.signal })) {
      read.push(value);
      if (value === 4 || value === 5) await producer.send({ topic: live, value: Number(value) + 1 });
      if (value === 6) setImmediate(() => stop.abort());
    }
    // then
    expect(read).toEqual(times(7, (n) => n));
    expect(await redis.admin.client('LIST')).not.toContain('name=millrace:tail');
  });

  onOneServer('proxy').it('goes on by itself after an outage, without a gap', async () => {
    // given
    const large = await redis.topic();
    const producer = redis.log.producer();
    for (let n = 0; n < 60; n++) await producer.send({ topic: large, value: { n, pad: 'x'.repeat(200_000) } });
    const proxy = await startProxy(redis.server);
    const log = await redis.another({ url: proxy.url });
    const read: number[] = [];
    // when
    for await (const { value } of log.read<{ n: number }>({ topic: large, partition: 0, tail: true })) {
      read.push(value.n);
      if (value.n % 10 === 0) proxy.cut();
      if (value.n === 59) break;
    }
    // then
    expect(read).toEqual(times(60, (n) => n));
  });

  onOneServer('proxy').it('fails in bounded time while Redis is away', async () => {
    const proxy = await startProxy(redis.server);
    const log = await redis.another({ url: proxy.url });
    const reading = log.read({ topic, partition: 0, maxOutageMs: 100 });
    await reading.next();
    proxy.refuse();
    proxy.cut();
    const rest = (async () => {
      for await (const _ of reading);
      for await (const _ of log.read({ topic, partition: 0, maxOutageMs: 100 }));
    })();
    await expect(rest).rejects.toThrow(UnavailableError);
  });

  it('says that an offset is not there (any more), or goes on at the nearest', async () => {
    const old = await redis.topic();
    const producer = redis.log.producer();
    for (let b = 0; b < 5; b++) await producer.sendBatch(times(10, (n) => ({ topic: old, value: b * 10 + n })));
    await redis.log.deleteRecords(old, 0, 25);
    const at = { topic: old, partition: 0 };
    await expect(redis.log.read({ ...at, from: 3 }).next()).rejects.toThrow(OffsetOutOfRangeError);
    await expect(redis.log.read({ ...at, from: 3 }).next()).rejects.toThrow(
      /offset 3 is not in the log: retention .* holds 25 to 50/,
    );
    await expect(redis.log.read({ ...at, from: 51 }).next()).rejects.toThrow(/the log ends before it/);
    const nearest = redis.log.read<number>({ ...at, from: 3, outOfRange: 'continue' });
    expect((await values(nearest))[0]).toBe(25);
    await expect(redis.log.read({ ...at, from: 'first' as 'earliest' }).next()).rejects.toThrow(OptionsError);
  });

  it('holds no more than it fetched ahead, whatever the caller does', async () => {
    const big = await redis.topic();
    const producer = redis.log.producer();
    for (let n = 0; n < 40; n++) await producer.send({ topic: big, value: 'x'.repeat(500_000) });
    const commands = redis.admin;
    const sent = async () => Number((await commands.info('stats')).match(/total_net_output_bytes:(\d+)/)?.[1]);
    const before = await sent();
    const reading = redis.log.read({ topic: big, partition: 0 });
    await reading.next();
    // It fetches no more, once Redis has sent nothing for a while but the replies to this question.
    let last = before;
    const isAtRest = async () => {
      const [earlier, now] = [last, await sent()];
      last = now;
      return now - earlier < 100_000;
    };
    await waitFor(isAtRest, { what: 'it to fetch no more', intervalMs: 100 });
    expect(last - before).toBeLessThan(12_000_000);
    await reading.return();
  });
});
