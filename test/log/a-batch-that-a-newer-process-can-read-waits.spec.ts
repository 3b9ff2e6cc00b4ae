import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rawCodec } from '@millrace/core';
import type { MillraceEvents } from '@millrace/delivery';
import { waitFor } from '@millrace/testing';
import { whyNotYetReadable } from '../../libs/log/src/model/batch-compression.js';
import { deadLetterFrame } from '../../libs/log/src/model/dead-letter.js';
import { rewriteStream } from '../rewritten-stream.js';
import { LogOnRedis, times } from './log-on-redis.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

// A version and a compression of a later Millrace; and zstd, which this Node may lack.
const newer = [
  { what: 'a newer format version', at: 0, byte: 2 },
  { what: 'a newer compression', at: 1, byte: 4 },
  { what: 'a compression this Node lacks', at: 1, byte: 3 },
].filter(({ at, byte }) => whyNotYetReadable(Buffer.from(at === 0 ? [byte, 0] : [1, byte])) !== undefined);

describe('a batch that only a newer process can read', () => {
  it.each(newer)('stops its partition until such a process comes: $what', async ({ at, byte }) => {
    // given a batch of several records that this process cannot read, between others
    const topic = await redis.topic();
    const producer = redis.log.producer();
    await producer.send({ topic, value: 'before' });
    await producer.sendBatch(times(3, (index) => ({ topic, value: index })));
    await producer.send({ topic, value: 'after' });
    const frames = await framesOf(topic);
    await rewriteStream(redis.admin, recordsKey(topic), (frame, index) => {
      if (index === 1) frame[at] = byte;
      return frame;
    });

    // when a group reads the topic
    const emitted: MillraceEvents['batch-unreadable'][0][] = [];
    const note = (event: (typeof emitted)[0]): void => void (event.topic === topic && emitted.push(event));
    redis.log.events.on('batch-unreadable', note);
    const running: MillraceEvents['consumer-started'][0][] = [];
    redis.log.events.once('consumer-started', (started) => running.push(started));
    const handled: unknown[] = [];
    const consumer = redis.log.consumer({
      group: `upgrading-${topic}`,
      topics: topic,
      handler: (value) => void handled.push(value),
    });
    await consumer.start();
    await waitFor(() => emitted.length > 0, { what: 'the event' });
    await waitFor(() => consumer.assignment[0]?.committed === 1, { what: 'the commit of what came before' });

    // then what comes before is handled, nothing is given up or passed over, and it is reported
    expect(handled).toEqual(['before']);
    expect(emitted).toMatchObject([
      { topic, partition: 0, offset: 1, error: { message: expect.stringMatching(/pgrade/) } },
    ]);
    expect(consumer.assignment).toMatchObject([{ position: 1, unreadable: expect.any(String) }]);
    expect((await redis.log.listTopics()).map(({ name }) => name)).not.toContain(`${topic}.dead-letters`);
    expect(running.map(({ unreadable }) => unreadable?.())).toEqual([1]);

    // and a process that can read it goes on from there
    await rewriteStream(redis.admin, recordsKey(topic), (frame, index) => frames[index] ?? frame);
    await waitFor(() => handled.length === 5, { what: 'the rest' });
    expect(handled).toEqual(['before', 0, 1, 2, 'after']);
    expect(consumer.assignment).toMatchObject([{ unreadable: undefined }]);
    expect(emitted).toHaveLength(1);
    redis.log.events.off('batch-unreadable', note);
    await consumer.stop();
  });

  it('can be passed over by a seek', async () => {
    // given a partition that stands still
    const topic = await redis.topic();
    const producer = redis.log.producer();
    await producer.send({ topic, value: 'unreadable' });
    await producer.send({ topic, value: 'after' });
    await rewriteStream(redis.admin, recordsKey(topic), (frame, index) => {
      if (index === 0) frame[0] = 2;
      return frame;
    });
    const handled: unknown[] = [];
    const consumer = redis.log.consumer({
      group: 'seeks',
      topics: topic,
      handler: (value) => void handled.push(value),
    });
    await consumer.start();
    await waitFor(() => consumer.assignment[0]?.unreadable !== undefined, { what: 'the standstill' });

    // when an operator gives the batch up
    await consumer.seek({ topic, partition: 0 }, 1);

    // then the group goes on
    await waitFor(() => handled.length === 1, { what: 'what comes after' });
    expect(handled).toEqual(['after']);
    await consumer.stop();
  });

  it('and that an older version gave up is sent back by a process that can read it', async () => {
    // given a batch of which a group had done the first record, and the dead letters of the rest and of a lone record
    const topic = await redis.topic();
    const records = times(3, (index) => ({ topic, key: `key-${index}`, value: index, headers: { index } }));
    await redis.log.producer().sendBatch(records);
    await redis.log.producer().send({ topic, value: 'lone' });
    const [batch, lone] = await framesOf(topic);
    const name = `${topic}.dead-letters`;
    await redis.log.declareTopic({ name });
    const unreadable = { ...dead(topic), error: new Error('record batch has format version 2') };
    const letters = [
      deadLetterFrame({ ...unreadable, record: recordOf(batch, 1), lastOffset: 2 }, Date.now()),
      deadLetterFrame({ ...unreadable, record: recordOf(lone, 3), lastOffset: 3 }, Date.now()),
      deadLetterFrame({ ...unreadable, record: recordOf(Buffer.from([9, 9, 9]), 4), lastOffset: 6 }, Date.now()),
    ];
    const keys = `millrace:{log:${name}:0}`;
    for (const [index, letter] of letters.entries()) {
      await redis.admin.xadd(`${keys}:records`, `0-${index + 1}`, 'b', letter, 't', Date.now());
    }
    await redis.admin.hset(`${keys}:meta`, 'end', letters.length);

    // when they are sent back, twice
    const reports = [await redis.log.redrive({ topic: name }), await redis.log.redrive({ topic: name })];

    // then the group has each record once, as it was, and what is damaged stays
    expect(reports).toMatchObject([
      { redriven: 2, impossible: 1 },
      { redriven: 0, repeated: 2, impossible: 1 },
    ]);
    const back = (await redis.records(topic)).slice(4);
    expect(back.map(({ key, value }) => [key, value])).toEqual([
      ['key-1', 1],
      ['key-2', 2],
      [undefined, 'lone'],
    ]);
    expect(back[0]?.headers).toEqual({ index: 1, 'millrace-redrives': 1, 'millrace-redriven-for': 'old' });
  });
});

const recordsKey = (topic: string): string => `millrace:{log:${topic}:0}:records`;

async function framesOf(topic: string): Promise<Buffer[]> {
  const entries = (await redis.admin.callBuffer('XRANGE', recordsKey(topic), '-', '+')) as [Buffer, Buffer[]][];
  return entries.map(([, [, frame = Buffer.alloc(0)]]) => frame);
}

function recordOf(value: Buffer | undefined, offset: number) {
  return { offset, timestamp: 0, key: undefined, headers: {}, value: value ?? Buffer.alloc(0) };
}

function dead(topic: string) {
  return { topic, partition: 0, group: 'old', codecId: rawCodec.id, reason: 'undecodable', attempts: 1 } as const;
}
