import { describe, expect, it } from '@jest/globals';
import { Events } from '@millrace/delivery';
import { Log } from '@millrace/log';
import { Broker } from '@millrace/queue';
import { waitFor } from '@millrace/testing';
import fc from 'fast-check';
import { drawn, shownSeeds } from '../fuzz-seed.js';
import { hostileJson, serverOfBlock } from './hostile.js';

/** Ids that no Millrace process makes: our separators, spaces, line ends, braces, and any bytes. */
const ids = drawn(
  fc.oneof(
    fc.constantFrom(
      '~~',
      'a~~b~~c',
      ':',
      '{queue:q}',
      'm\nn\no',
      ' ',
      '0-1',
      '-inf',
      '__proto__',
      'constructor',
      '%s%d',
    ),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }),
  ),
  60,
);
const texts = drawn(hostileJson(['name', 'connections', 'server', 'topics', 'at']), 60);
const text = (index: number): string => texts[index % texts.length] ?? '';

describe(`what is not ours beside our ids (${shownSeeds})`, () => {
  const started = serverOfBlock();
  const events = new Events();

  it('in the sets, counters and registers of a queue stops no message of it', async () => {
    // given
    const redis = started.server.client();
    const broker = new Broker(started.connection, { events });
    await broker.declare({ queues: [{ name: 'q', priorities: 3, maxBytes: 1_000_000 }, { name: 'q.dead-letters' }] });
    const key = (name: string) => `millrace:{queue:q}:${name}`;
    for (const [index, id] of ids.entries()) {
      const time = [1, -1, Date.now() + 500, Number.MAX_SAFE_INTEGER][index % 4] ?? 0;
      for (const set of ['delayed', 'expiry', 'held', 'parked', 'seen', 'offered', 'ended'])
        await redis.zadd(key(set), time, id);
      for (const hash of ['counts', 'progress', 'cancels', 'handled', 'follow-ups', 'consumer-info', 'ids']) {
        await redis.hset(key(hash), id, text(index));
      }
      await redis.zadd(key('consumers'), time, id);
      await redis.zadd(key('idle'), 0, id);
      await redis.sadd(key('dead'), id);
      await redis.rpush(key('ready:2'), id);
      await redis.hset(key('state'), id, text(index));
    }
    // when
    const handled = new Set<unknown>();
    const consumer = broker.consumer({ queue: 'q', handler: (value) => void handled.add(value) });
    await consumer.start();
    for (let n = 0; n < 100; n++) await broker.sendToQueue('q', n, { priority: n % 3, messageId: `good-${n}` });
    // then
    await waitFor(() => handled.size === 100, { what: 'every message to be handled', timeoutMs: 30_000 });
    await broker.close();
  }, 60_000);

  it('in the membership, leases and producers of a group stops no record of a log', async () => {
    // given
    const redis = started.server.client();
    const log = new Log(started.connection, { events });
    await log.declareTopic({ name: 'orders', partitions: 2 });
    const base = 'millrace:{log:orders:0}';
    for (const [index, id] of ids.entries()) {
      const time = [1, -1, Date.now() + 500][index % 3] ?? 0;
      await redis.zadd('millrace:{group:g}:members', time, id);
      await redis.hset('millrace:{group:g}:subscriptions', id, text(index));
      await redis.hset('millrace:{group:g}:presence', id, text(index));
      await redis.hset(`${base}:producers`, id, text(index));
      await redis.hset(`${base}:expired`, id, text(index));
      await redis.sadd(`${base}:sources`, id);
      await redis.sadd('millrace:{topology}:groups', id);
    }
    const lease = { owner: 'a stranger', until: '-5', epoch: 7, progress: 'junk', crashes: 1, anchor: '{}' };
    await redis.hset(`${base}:group:g`, lease);
    // when
    const handled = new Set<unknown>();
    const handler = (value: unknown) => void handled.add(value);
    await log.consumer({ group: 'g', topics: 'orders', heartbeatMs: 50, handler }).start();
    const producer = log.producer();
    for (let n = 0; n < 50; n++) await producer.send({ topic: 'orders', partition: n % 2, value: n });
    // then
    await waitFor(() => handled.size === 50, { what: 'every record to be handled', timeoutMs: 30_000 });
    await waitFor(async () => (await log.groups.lag('g')).every(({ lag }) => lag === 0), {
      what: 'all to be committed',
    });
    await log.close();
  }, 60_000);

  it('in the place of a key of another kind is reported, and what waited goes on when it is gone', async () => {
    // given
    const redis = started.server.client();
    const errors: unknown[] = [];
    const own = new Events();
    own.on('background-error', ({ error }) => errors.push(error));
    const broker = new Broker(started.connection, { events: own });
    await broker.declareQueue({ name: 'broken' });
    const handled: unknown[] = [];
    await broker.consumer({ queue: 'broken', leaseMs: 1500, handler: (value) => void handled.push(value) }).start();
    await redis.set('millrace:{queue:broken}:delayed', 'not a sorted set');
    await broker.sendToQueue('broken', 1).catch(() => undefined);
    await waitFor(() => errors.length > 0, { what: 'it to be reported' });
    // when
    await redis.del('millrace:{queue:broken}:delayed');
    await broker.sendToQueue('broken', 2);
    // then
    await waitFor(() => handled.includes(2), { what: 'the message to be handled' });
    expect(errors.every((error) => error instanceof Error)).toBe(true);
    await broker.close();
  });
});
