import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { MillraceEvents } from '@millrace/delivery';
import { waitFor } from '@millrace/testing';
import { RecordBatchWriter } from '../../libs/log/src/model/record-batch.js';
import { appendBatch } from '../../libs/log/src/store/append.js';
import { partitionKeys } from '../../libs/log/src/store/keys.js';
import { groupsOfPartition } from '../../libs/log/src/store/partition.js';
import { rebuildStream } from '../../libs/log/src/store/stream-rebuild.js';
import { rewriteStream } from '../rewritten-stream.js';
import { LogOnRedis, times } from './log-on-redis.js';

let redis: LogOnRedis;
const found: MillraceEvents['foreign-entries'][0][] = [];
beforeAll(async () => {
  redis = await LogOnRedis.start();
  redis.log.events.on('foreign-entries', (event) => found.push(event));
});
afterAll(() => redis.stop());

const lastId = '18446744073709551615-18446744073709551615';
// Ten bytes that claim a million million records.
const bomb = Buffer.from('01000180a094a58d1d01', 'hex');

describe('an entry that something else wrote into the stream of a partition, behind the log', () => {
  it.each([
    { what: 'a frame that claims 10^12 records, with their id', id: '0-1000000000000', frame: bomb },
    { what: 'the id of no safe offset', id: '0-9007199254740993', frame: bomb },
    { what: 'an id with a time', id: '5-7', frame: frameOf('x') },
    { what: 'a good frame at the next offset', id: '0-3', frame: frameOf('x') },
    { what: 'no frame at all', id: '0-4', frame: Buffer.from('hello') },
    { what: 'the last id that there is', id: lastId, frame: bomb },
  ])('is removed by the consumer that meets it, and then by the producer: $what', async ({ id, frame }) => {
    // given a group that has read a log of two records
    const topic = await redis.topic();
    const send = (values: number[]) => redis.log.producer().sendBatch(values.map((value) => ({ topic, value })));
    const removed = () => found.filter((event) => event.topic === topic).map((event) => event.removed);
    await send([0, 1]);
    const group = await Group.of(topic);
    await group.handles(2);
    // when
    await redis.admin.xadd(recordsOf(topic), id, 'b', frame, 't', 1);
    await waitFor(() => removed().length === 1, { what: 'the consumer to remove it' });
    await send([2, 3, 4]);
    // then
    await group.handles(5);
    await group.commits(5);
    expect(group.losses).toEqual([]);
    // when no member reads
    await group.consumer.stop();
    await redis.admin.xadd(recordsOf(topic), id === lastId ? id : `7${id}`, 'b', frame, 't', 1);
    await send([5]);
    // then
    expect((await redis.records(topic)).map(({ value }) => value)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(group.handled).toEqual([0, 1, 2, 3, 4]);
    expect(removed()).toEqual([1, 1]);
  });

  it('keeps no group from reading when it says of itself that it follows', async () => {
    // given
    const topic = await redis.topic();
    await redis.log.producer().send({ topic, value: 0 });
    const [nonce = ''] = await redis.admin.hmget(metaOf(topic), 'nonce');
    await redis.admin.xadd(recordsOf(topic), '0-1000000000000', 'b', bomb, 't', 1, 'n', '7', 'p', nonce ?? '', 'a', 1);
    // when
    const group = await Group.of(topic);
    await group.handles(1);
    await redis.log.producer().send({ topic, value: 1 });
    // then
    await group.handles(2);
    await group.commits(2);
    expect(group.losses).toEqual([]);
  });

  // Only newer servers refuse to set the last id of a stream back: there this is how the cases above come out.
  it.each([0, 3, 16, 40])(
    'leaves a stream of %i batches that can be made again, with its groups and its last id',
    async (count) => {
      // given
      const topic = await redis.topic();
      const keys = partitionKeys('millrace', topic, 0);
      const producer = redis.log.producer();
      await redis.admin.xgroup('CREATE', keys.records, 'none', '0-0', 'MKSTREAM');
      for (let value = 0; value < count; value++) await producer.send({ topic, value });
      await redis.admin.xgroup('CREATE', keys.records, 'half', `0-${Math.floor(count / 2)}`);
      const before = await redis.admin.xrange(keys.records, '-', '+');
      await redis.admin.xadd(keys.records, '0-1000', 'b', bomb);
      await redis.admin.xdel(keys.records, '0-1000');
      // and what is no copy of it
      await redis.admin.xadd(keys.rebuilt, '5-7', 'b', bomb);
      // when two processes do it
      await Promise.all([1, 2].map(() => rebuildStream(redis.connection.commands, keys)));
      // then
      expect(await redis.admin.xrange(keys.records, '-', '+')).toEqual(before);
      expect(await groupsOfPartition(redis.connection.commands, keys.records)).toEqual([
        { group: 'half', committed: Math.floor(count / 2) },
        { group: 'none', committed: 0 },
      ]);
      expect([await redis.admin.exists(keys.rebuilt), await redis.admin.ttl(keys.records)]).toEqual([0, -1]);
      expect(await producer.send({ topic, value: count })).toMatchObject({ offset: count });
    },
  );

  it('keeps no dead letter from its topic', async () => {
    // given a topic of dead letters with a foreign entry in its stream
    const topic = await redis.topic({ deadLetter: { topic: 'blocked-dead-letters' } });
    await redis.log.declareTopic({ name: 'blocked-dead-letters' });
    await redis.admin.xadd(recordsOf('blocked-dead-letters'), '5-7', 'x', 'y');
    await redis.log.producer().sendBatch([0, 1].map((value) => ({ topic, value })));
    // when
    const group = await Group.of(topic, () => {
      throw new Error('no');
    });
    // then
    await group.commits(2);
    expect((await redis.records('blocked-dead-letters')).map(({ value }) => value)).toEqual([0, 1]);
  });

  it('is removed on demand, however many there are', async () => {
    // given
    const topic = await redis.topic();
    await redis.log.producer().send({ topic, value: 0 });
    for (const index of times(250, (n) => n)) await redis.admin.xadd(recordsOf(topic), `0-${100 + index}`, 'b', 'x');
    // when
    const removed = await redis.log.removeForeignEntries(topic);
    // then
    expect(removed).toBe(250);
    await expect(redis.log.producer().send({ topic, value: 1 })).resolves.toMatchObject({ offset: 1 });
    expect((await redis.records(topic)).map(({ value }) => value)).toEqual([0, 1]);
  });

  it('keeps no reading without a group from going on', async () => {
    // given
    const topic = await redis.topic();
    await redis.log.producer().sendBatch([0, 1].map((value) => ({ topic, value })));
    const reading = redis.log.read({ topic, partition: 0, tail: true });
    const next = async () => (await reading.next()).value?.value;
    expect([await next(), await next()]).toEqual([0, 1]);
    // when
    await redis.admin.xadd(recordsOf(topic), '0-1000000000000', 'b', bomb, 't', 1);
    const third = next();
    await redis.log.producer().send({ topic, value: 2 });
    // then
    expect(await third).toBe(2);
    expect(await redis.records(topic)).toHaveLength(3);
    await reading.return?.();
  });
});

describe('an entry that something else wrote between the batches of a log', () => {
  it.each([
    { what: 'without nonces', chain: [] },
    { what: 'with nonces of its own', chain: ['n', '7', 'p', '8', 'a', '1'] },
  ])('is passed over, and no record is: $what', async ({ chain }) => {
    // given
    const topic = await redis.topic();
    const send = (values: number[]) => redis.log.producer().sendBatch(values.map((value) => ({ topic, value })));
    await send([0, 1]);
    await redis.admin.xadd(recordsOf(topic), '0-3', 'b', frameOf('foreign'), 't', '1', ...chain);
    await redis.admin.xadd(recordsOf(topic), '0-4', 'b', bomb, 't', '1', ...chain);
    await send([2, 3, 4, 5]);
    await send([6]);
    // when
    const whole = await Group.of(topic);
    // then
    await whole.handles(7);
    expect(whole.handled).toEqual([0, 1, 2, 3, 4, 5, 6]);
    await whole.commits(7);
    expect(found.filter((event) => event.topic === topic).map(({ removed }) => removed)).toEqual([0]);
    // A reading without a group knows it by what it lacks.
    if (chain.length === 0)
      expect((await redis.records(topic)).map(({ value }) => value)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it.each([
    { what: 'before the first of them', from: 0, deleted: 0 },
    { what: 'behind what retention removed', from: 0, deleted: 4 },
    { what: 'where an operator set the group', from: 6, deleted: 0 },
  ])('is passed over where a group begins to read: $what', async ({ from, deleted }) => {
    // given garbage, and batches of four
    const topic = await redis.topic();
    const send = (values: number[]) => redis.log.producer().sendBatch(values.map((value) => ({ topic, value })));
    for (const first of [0, 4, 8]) {
      await redis.admin.xadd(recordsOf(topic), `0-${first + 1}`, 'x', 'y');
      await redis.admin.xadd(recordsOf(topic), `0-${first + 2}`, 'b', frameOf('foreign'), 't', 1);
      await send([0, 1, 2, 3].map((n) => first + n));
    }
    if (deleted > 0) await redis.log.deleteRecords(topic, 0, deleted);
    if (from > 0) {
      const first = await Group.of(topic);
      await first.commits(12);
      await first.consumer.stop();
      await redis.log.groups.resetOffsets(`group-${topic}`, { topic, to: from });
    }
    // when
    const group = await Group.of(topic);
    // then
    await group.commits(12);
    const expected = times(12, (value) => value).slice(Math.max(from, deleted));
    expect(group.handled).toEqual(expected);
    expect(await redis.log.listTopics()).not.toContainEqual(expect.objectContaining({ name: `${topic}.dead-letters` }));
  });
});

describe('a batch of the log whose bytes were changed', () => {
  it.each([
    { what: 'more records than it has', change: (frame: Buffer) => withCount(frame, 3) },
    { what: 'fewer', change: (frame: Buffer) => withCount(frame, 1) },
    { what: 'a million million', change: () => bomb },
    { what: 'none', change: (frame: Buffer) => withCount(frame, 0) },
  ])('goes to the dead letters, and its neighbours are handled: it claims $what', async ({ change }) => {
    // given
    const topic = await redis.topic();
    const producer = redis.log.producer();
    for (const values of [['a'], ['b', 'c'], ['d']]) {
      await producer.sendBatch(values.map((value) => ({ topic, value })));
    }
    await rewriteStream(redis.admin, recordsOf(topic), (frame, index) => (index === 1 ? change(frame) : frame));
    // when
    const group = await Group.of(topic);
    // then
    await group.commits(4);
    expect(group.handled).toEqual(['a', 'd']);
    expect(await redis.log.endOffset(`${topic}.dead-letters`, 0)).toBe(1);
    expect(group.losses).toEqual([]);
  });
});

describe('a partition whose stream is none', () => {
  it('keeps no other partition of the member from being read, and goes on when it is mended', async () => {
    // given
    const topic = await redis.topic({ partitions: 2 });
    await redis.log.producer().sendBatch([0, 1].map((partition) => ({ topic, partition, value: partition })));
    const group = await Group.of(topic);
    await group.handles(2);
    // when
    const stream = await redis.admin.dumpBuffer(recordsOf(topic));
    await redis.admin.set(recordsOf(topic), 'no stream');
    await redis.log.producer().send({ topic, partition: 1, value: 'on' });
    // then
    await group.handles(3);
    await waitFor(() => group.consumer.assignment.some(({ unreadable }) => unreadable?.includes('WRONGTYPE')), {
      what: 'the partition to be reported',
    });
    await redis.admin.restore(recordsOf(topic), 0, stream ?? '', 'REPLACE');
    await redis.log.producer().send({ topic, partition: 0, value: 'mended' });
    await group.handles(4);
    expect(group.handled).toEqual(expect.arrayContaining(['on', 'mended']));
  });
});

describe('an append', () => {
  it('is refused with a count that is not its frame’s', async () => {
    // given
    const topic = await redis.topic();
    const [id] = await redis.admin.hmget(metaOf(topic), 'id');
    const keys = partitionKeys(redis.connection.prefix, topic, 0);
    const batch = { topicId: Number(id), maxTimestamp: 1, frame: frameOf('x') };
    // when
    const appending = appendBatch(redis.connection.commands, keys, { ...batch, count: 1_000_000 });
    // then
    await expect(appending).rejects.toThrow('the batch has 1 records by its head, not 1000000');
    expect(await redis.log.endOffset(topic, 0)).toBe(0);
    await expect(appendBatch(redis.connection.commands, keys, { ...batch, count: 1 })).resolves.toMatchObject({
      kind: 'appended',
    });
  });
});

/** A group with one member. */
class Group {
  readonly handled: unknown[] = [];
  readonly losses: unknown[] = [];

  private constructor(
    readonly consumer: ReturnType<typeof redis.log.consumer>,
    readonly topic: string,
  ) {}

  static async of(topic: string, handler: (value: unknown) => void = () => undefined): Promise<Group> {
    const group: Group = new Group(
      redis.log.consumer({
        group: `group-${topic}`,
        topics: topic,
        retry: false,
        handler: (value) => {
          group.handled.push(value);
          handler(value);
        },
      }),
      topic,
    );
    const note = (event: { readonly group?: string | undefined }): void => {
      if (event.group === `group-${topic}`) group.losses.push(event);
    };
    redis.log.events.on('lease-lost', note);
    redis.log.events.on('offset-out-of-range', note);
    await group.consumer.start();
    return group;
  }

  async handles(count: number): Promise<void> {
    await waitFor(() => this.handled.length >= count, { what: `${count} records to be handled` });
  }

  async commits(offset: number): Promise<void> {
    const committed = () => this.consumer.assignment[0]?.committed === offset;
    await waitFor(committed, { what: `offset ${offset} to be committed` });
  }
}

function recordsOf(topic: string): string {
  return `millrace:{log:${topic}:0}:records`;
}

function metaOf(topic: string): string {
  return `millrace:{log:${topic}:0}:meta`;
}

function frameOf(value: string): Buffer {
  const writer = new RecordBatchWriter();
  writer.add(1, undefined, undefined, JSON.stringify(value));
  return Buffer.from(writer.finishFrame(1));
}

/** The fourth byte says how many records there are, while they are few. */
function withCount(frame: Buffer, count: number): Buffer {
  const changed = Buffer.from(frame);
  changed[3] = count;
  return changed;
}
