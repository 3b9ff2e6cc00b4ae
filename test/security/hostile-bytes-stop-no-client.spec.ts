import { describe, expect, it } from '@jest/globals';
import { Events } from '@millrace/delivery';
import { Log } from '@millrace/log';
import { Broker } from '@millrace/queue';
import { waitFor } from '@millrace/testing';
import fc from 'fast-check';
import { whyNotYetReadable } from '../../libs/log/src/model/batch-compression.js';
import { RecordBatchWriter } from '../../libs/log/src/model/record-batch.js';
import { encodeFrame, noProperties } from '../../libs/queue/src/model/message-frame.js';
import { drawn, shownSeeds } from '../fuzz-seed.js';
import { hostileBytes, hostileJson, serverOfBlock } from './hostile.js';

describe(`hostile bytes in our keys (${shownSeeds})`, () => {
  const started = serverOfBlock();
  const events = new Events();

  it('as messages, dead letters, wake-ups, deliveries and declarations stop no message of a queue', async () => {
    // given: a queue with good messages and hostile ones in turns
    const redis = started.server.client();
    const broker = new Broker(started.connection, { events });
    await broker.declare({ queues: [{ name: 'q' }, { name: 'q.dead-letters' }] });
    const key = (name: string) => `millrace:{queue:q}:${name}`;
    const good = (value: number) => {
      const parts = { priority: 0, codecId: 1, timestamp: 1, exchange: '', routingKey: 'q', properties: noProperties };
      return encodeFrame({ ...parts, headers: {}, body: JSON.stringify(value) }, 'q');
    };
    const json = ['reason', 'time', 'id', 'done', 'dead', 'name', 'source', 'destination', 'type', 'connections'];
    const [frames, texts] = [drawn(hostileBytes(fc.constant(good(7))), 60), drawn(hostileJson(json), 60)];
    const ids = drawn(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), 60);
    for (const [index, frame] of frames.entries()) {
      const [text = '', id = ''] = [texts[index], `${ids[index]}~~{}:${index}`];
      await redis.hset(key('messages'), id, frame, `good-${index}`, good(1000 + index), `dying-${index}`, frame);
      await redis.rpush(key('ready'), id, `good-${index}`, `ghost-${index}`);
      await redis.hset(key('handled'), `good-${index}`, text);
      await redis.hset(key('follow-ups'), `dying-${index}`, index % 2 === 0 ? text : `dead-letter ${text}`);
      await redis.zadd(key('ended'), index, `dying-${index}`);
      await redis.rpush(key('wake'), text);
      for (const table of ['exchanges', 'queues', 'bindings']) {
        await redis.hset(`millrace:{topology}:${table}`, `x${index}`, text);
      }
    }
    // when
    const handled = new Set<unknown>();
    const handler = (value: unknown) => void handled.add(value);
    const consumer = broker.consumer({ queue: 'q', retry: false, handler });
    await consumer.start();
    const fresh = new Broker(started.connection, { events });
    await fresh.sendToQueue('q', 'published after');
    // then
    const expected = [...frames.map((_, index) => 1000 + index), 'published after'];
    const missing = () => expected.filter((value) => !handled.has(value));
    await waitFor(() => missing().length === 0, { what: 'every good message to be handled', timeoutMs: 40_000 });
    await waitFor(async () => (await redis.zcard(key('ended'))) === 0, { what: 'dead letters to be carried' });
    await waitFor(async () => (await redis.llen(key('ready'))) === 0, { what: 'the queue to be empty' });
    await Promise.all([broker.close(), fresh.close()]);
  }, 90_000);

  it('as batches, plans, subscriptions and presences stop no record of a log', async () => {
    // given: a partition with good batches and hostile ones in turns
    const redis = started.server.client();
    const log = new Log(started.connection, { events });
    await log.declareTopic({ name: 'orders', deadLetter: { topic: 'orders.dead-letters' } });
    const batch = (value: number) => {
      const writer = new RecordBatchWriter();
      writer.add(1, 'key', undefined, JSON.stringify(value));
      return Buffer.from(writer.finishFrame(1));
    };
    // What claims to be of the next version, or of a compression this Node lacks, is waited for: it may be true.
    const frames = drawn(hostileBytes(fc.constant(batch(7))), 40).filter((frame) => !whyNotYetReadable(frame));
    const base = 'millrace:{log:orders:0}';
    for (const [index, frame] of frames.flatMap((frame, at) => [frame, batch(1000 + at)]).entries()) {
      // The first half as an older version wrote it; what comes behind it says the truth of where it begins.
      const isChained = index >= frames.length + 1 - (frames.length % 2);
      const chain = isChained ? ['n', `n${index + 1}`, 'p', `n${index}`] : [];
      await redis.xadd(`${base}:records`, `0-${index + 1}`, 'b', frame, 't', 1, ...chain);
    }
    await redis.hset(`${base}:meta`, 'end', 2 * frames.length, 'bytes', 10_000, 'nonce', `n${2 * frames.length}`);
    const texts = drawn(hostileJson(['topics', 'members', 'assignment', 'kind', 'source', 'flags']), 30);
    const [plan = ''] = texts;
    await redis.hset('millrace:{group:g}:state', 'plan', plan, 'generation', 5, 'version', 3);
    for (const [index, text] of texts.entries()) {
      await redis.hset('millrace:{group:g}:subscriptions', `m${index}`, text);
      await redis.hset('millrace:{group:g}:presence', `m${index}`, text);
      await redis.hset('millrace:{topology}:topics', `t${index}`, text);
    }
    // when
    const handled = new Set<unknown>();
    const handler = (value: unknown) => void handled.add(value);
    const options = { group: 'g', topics: 'orders', retry: false, heartbeatMs: 50 } as const;
    await log.consumer({ ...options, handler }).start();
    await log.producer().send({ topic: 'orders', value: 'sent after' });
    // then
    const expected = [...frames.map((_, index) => 1000 + index), 'sent after'];
    const missing = () => expected.filter((value) => !handled.has(value));
    await waitFor(() => missing().length === 0, { what: 'every good record to be handled', timeoutMs: 40_000 });
    await waitFor(async () => (await log.groups.lag('g'))[0]?.lag === 0, { what: 'all to be committed' });
    expect('polluted' in {}).toBe(false);
    await log.close();
  }, 90_000);
});
