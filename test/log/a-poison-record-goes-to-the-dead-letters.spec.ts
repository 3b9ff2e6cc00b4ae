import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ValidationError } from '@millrace/core';
import { waitFor } from '@millrace/testing';
import { decodeBatch } from '../../libs/log/src/model/batch-compression.js';
import { LogOnRedis, times } from './log-on-redis.js';
import { MemberProgram } from './member-program.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

const retry = { maxRetries: 2, backoff: 10 };

describe('a record that cannot be handled', () => {
  it('is retried, then kept with its reason, while the other keys flow and its own goes on after it', async () => {
    // given one bad record among good ones of the same and of another key
    const topic = await redis.topic();
    const done: unknown[] = [];
    const handler = (value: unknown): void => {
      if (value === 'bad') throw new TypeError('no such order');
      done.push(value);
    };
    const [sent] = await redis.log.producer().sendBatch([
      { topic, key: 'a', value: 'bad', headers: { trace: 't1' }, timestamp: 1234 },
      { topic, key: 'a', value: 'after' },
      { topic, key: 'b', value: 'other' },
    ]);

    // when a group handles them
    const consumer = redis.log.consumer({ group: 'poison', topics: topic, retry, handler });
    await consumer.start();
    await waitFor(() => done.length === 2, { what: 'the good records' });
    await consumer.stop();

    // then the other key did not wait, the own key did, and the dead letter says all
    expect(done).toEqual(['other', 'after']);
    expect(await redis.records(`${topic}.dead-letters`)).toMatchObject([
      {
        key: 'a',
        value: 'bad',
        headers: {
          trace: 't1',
          'millrace-original-topic': topic,
          'millrace-original-partition': 0,
          'millrace-original-offset': sent?.offset,
          'millrace-original-timestamp': 1234,
          'millrace-group': 'poison',
          'millrace-reason': 'failed',
          'millrace-error-name': 'TypeError',
          'millrace-error-message': 'no such order',
          'millrace-error-stack': expect.stringContaining('no such order'),
          'millrace-attempts': 3,
        },
      },
    ]);
    expect(await redis.log.groups.lag('poison')).toMatchObject([{ lag: 0 }]);
  });

  it('is not retried when it cannot be decoded or is invalid, also a whole batch that is damaged', async () => {
    // given bytes that are no JSON, a value that is not valid, and an entry that is no batch
    const topic = await redis.topic();
    const attempts: unknown[] = [];
    const records = `millrace:{log:${topic}:0}:records`;
    await redis.log.declareTopic({ name: `${topic}-raw`, codec: 'raw' });
    await redis.log.producer().send({ topic: `${topic}-raw`, value: Buffer.from('{') });
    const [[, [, frame]]] = (await redis.admin.callBuffer(
      'XRANGE',
      `millrace:{log:${topic}-raw:0}:records`,
      '-',
      '+',
    )) as [[Buffer, [Buffer, Buffer]]];
    frame[2] = 1;
    await redis.admin.xadd(records, '0-1', 'b', frame, 't', 0);
    await redis.admin.xadd(records, '0-4', 'b', Buffer.from([9, 9, 9]), 't', 0);
    await redis.admin.hset(`millrace:{log:${topic}:0}:meta`, 'end', 4);
    await redis.log.producer().send({ topic, value: 'invalid' });
    await redis.log.producer().send({ topic, value: 'good' });

    // when a group handles them
    const consumer = redis.log.consumer({
      group: 'unreadable',
      concurrency: 1,
      topics: topic,
      retry,
      validate: (payload) => {
        if (payload === 'invalid') throw new ValidationError('order', ['no items']);
        return payload;
      },
      handler: (value) => void attempts.push(value),
    });
    await consumer.start();
    await waitFor(() => attempts.length > 0, { what: 'the good record' });
    await waitFor(async () => (await redis.log.groups.lag('unreadable'))[0]?.lag === 0, { what: 'the commit' });
    await consumer.stop();

    // then the handler saw the good one only, and the others are kept once each with what they were
    expect(attempts).toEqual(['good']);
    const letters = (await redis.admin.callBuffer(
      'XRANGE',
      `millrace:{log:${topic}.dead-letters:0}:records`,
      '-',
      '+',
    )) as [Buffer, [Buffer, Buffer]][];
    const dead = letters.flatMap(([, [, letter]], index) => decodeBatch(letter, index + 1).records);
    expect(dead.map(({ headers }) => headers)).toMatchObject([
      { 'millrace-reason': 'undecodable', 'millrace-original-offset': 0, 'millrace-attempts': 1 },
      { 'millrace-reason': 'undecodable', 'millrace-original-offset': 1, 'millrace-original-last-offset': 3 },
      { 'millrace-reason': 'invalid', 'millrace-error-message': 'order is invalid: no items', 'millrace-attempts': 1 },
    ]);
  });

  it.each([
    ['killer', false],
    ['killer-of-batches', true],
  ])(
    'is given up when it kills its process each time: %s',
    async (group, inBatches) => {
      // given a record that ends the process that handles it
      const topic = await redis.topic();
      const retry = { maxRetries: 1, backoff: 1 };
      const options = { group, topics: topic, dieOnValue: 'killer', retry, deliveryLimit: 3, inBatches };
      const values = ['good 1', 'killer', 'good 2'];
      await redis.log.producer().sendBatch(values.map((value) => ({ topic, key: value, value })));

      // when the process is started again each time, as supervisors do
      let deaths = 0;
      for (let isAlive = false; !isAlive; ) {
        const member = await MemberProgram.start(redis.server.connection, options).catch(() => undefined);
        isAlive = await waitFor(
          async () => (await redis.log.groups.lag(group))[0]?.lag === 0 || member?.program.isRunning !== true,
          { what: 'the group to be done, or its process to end', timeoutMs: 60_000 },
        ).then(() => member?.program.isRunning === true);
        if (isAlive) await member?.end();
        else deaths++;
      }

      // then it came back as often as it may, is a dead letter, and nothing is left
      expect(deaths).toBeGreaterThanOrEqual(4);
      expect(deaths).toBeLessThanOrEqual(5);
      expect(await redis.records(`${topic}.dead-letters`)).toMatchObject([{ value: 'killer' }]);
      expect(await redis.log.groups.lag(group)).toMatchObject([{ lag: 0 }]);
    },
    120_000,
  );

  it('is written once when its owner dies between the dead letter and the commit', async () => {
    // given a group that never commits, and gives a record up
    const topic = await redis.topic();
    const log = await redis.another();
    let handled = 0;
    const handler = (): void => {
      handled++;
      throw new Error('never');
    };
    const options = { group: 'once', topics: topic, retry: false as const, handler, leaseMs: 60_000 };
    await redis.log.producer().sendBatch(times(3, (value) => ({ topic, key: `${value}`, value })));
    const first = log.consumer({ ...options, commitIntervalMs: 3_600_000 });
    await first.start();
    const deadOffset = () => redis.log.endOffset(`${topic}.dead-letters`, 0);
    await waitFor(async () => (await deadOffset()) === 3, { what: 'three dead letters' });

    // when its lease is taken from it, so that another owner handles the records again
    await redis.admin.hset(`millrace:{log:${topic}:0}:group:once`, 'owner', '', 'until', 0);
    const second = redis.log.consumer(options);
    await first.stop({ deadlineMs: 0 });
    await second.start();
    await waitFor(async () => (await redis.log.groups.lag('once'))[0]?.lag === 0, { what: 'the commit' });
    await second.stop();

    // then all were handled again, and there are three dead letters still
    expect(handled).toBe(6);
    expect(await deadOffset()).toBe(3);
  });
});

describe('dead letters that would go round', () => {
  it('stay where they are: no record is handled for ever', async () => {
    // given two topics, each the other's place for dead letters, and a group that can handle nothing of either
    const [first, second] = ['round-a', 'round-b'];
    await redis.log.declareTopic({ name: first, deadLetter: { topic: second } });
    await redis.log.declareTopic({ name: second, deadLetter: { topic: first } });
    const log = await redis.another();
    const discarded: unknown[] = [];
    log.events.on('discarded', ({ source }) => void discarded.push(source));
    const handled: string[] = [];
    const handler = (_value: unknown, { topic }: { topic: string }): void => {
      handled.push(topic);
      throw new Error('never');
    };
    const consumer = log.consumer({ group: 'round', topics: [first, second], retry: false, handler });

    // when a record of the first is given up
    await consumer.start();
    await redis.log.producer().send({ topic: first, value: 'bad' });
    await waitFor(() => discarded.length === 1, { what: 'the end of its way' });
    await consumer.stop();

    // then it was handled once in each, and is kept in both
    expect(handled).toEqual([first, second]);
    expect(discarded).toEqual([`topic:${second}`]);
    expect([await redis.log.endOffset(first, 0), await redis.log.endOffset(second, 0)]).toEqual([1, 1]);
  });

  it('are refused when a consumer is to keep them in the one topic that it reads', () => {
    const consumer = () =>
      redis.log.consumer({ group: 'own', topics: 'own', deadLetter: 'own', handler: () => undefined });
    expect(consumer).toThrow('deadLetter must be another topic than the one that is consumed');
  });
});
