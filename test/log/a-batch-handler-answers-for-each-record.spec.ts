import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DeadLetter } from '@millrace/core';
import { waitFor } from '@millrace/testing';
import { LogOnRedis, times } from './log-on-redis.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

describe('a batch handler', () => {
  it('gets many records per call; those it marks as failed come again, in the order of their keys', async () => {
    // given a handler that refuses some records the first time
    const topic = await redis.topic();
    const sizes: number[] = [];
    const handled = new Map<string, number[]>();
    const consumer = redis.log.consumer({
      group: 'batches',
      topics: topic,
      batch: { maxRecords: 50 },
      retry: { maxRetries: 3, backoff: 10 },
      batchHandler: async (records, batch) => {
        sizes.push(records.length);
        await Promise.resolve();
        const blocked = new Set<string>();
        for (const record of records) {
          const { key = '', payload, attempt } = record;
          const isRefused = blocked.has(key) || (Number(payload) % 9 === 0 && attempt === 1);
          if (isRefused) {
            blocked.add(key);
            batch.fail(record, Number(payload) === 90 ? new DeadLetter('never') : new Error('not yet'));
          } else handled.set(key, [...(handled.get(key) ?? []), Number(payload)]);
        }
      },
    });
    await redis.log.producer().sendBatch(times(200, (value) => ({ topic, key: `key-${value % 8}`, value })));

    // when they are handled
    await consumer.start();
    await waitFor(() => [...handled.values()].flat().length === 199, { what: 'all but one record' });
    await consumer.stop();

    // then there were full batches, each key kept its order, and what was given up is a dead letter
    expect(Math.max(...sizes)).toBe(50);
    for (const values of handled.values()) expect(values).toEqual([...values].sort((a, b) => a - b));
    expect(await redis.records(`${topic}.dead-letters`)).toMatchObject([{ value: 90 }]);
    expect(await redis.log.groups.lag('batches')).toMatchObject([{ lag: 0 }]);
  });

  it('that throws fails every record of its batch', async () => {
    // given a handler that throws the first time
    const topic = await redis.topic();
    const attempts: number[][] = [];
    const consumer = redis.log.consumer({
      group: 'throws',
      topics: topic,
      retry: { maxRetries: 1, backoff: 10 },
      batch: { maxRecords: 5, lingerMs: 20 },
      batchHandler: (records) => {
        attempts.push(records.map(({ attempt }) => attempt));
        if (records.some(({ attempt }) => attempt === 1)) throw new Error('all of it');
      },
    });

    // when five records come
    await redis.log.producer().sendBatch(times(5, (value) => ({ topic, value })));
    await consumer.start();

    // then all five come again, and are done
    await waitFor(async () => (await redis.log.groups.lag('throws'))[0]?.lag === 0, { what: 'the commit' });
    expect(attempts[0]).toEqual([1, 1, 1, 1, 1]);
    expect(attempts.slice(1).flat()).toEqual([2, 2, 2, 2, 2]);
    await consumer.stop();
  });

  it('gets a batch that never became full when its time is over', async () => {
    // given an idle topic, and a handler whose batches wait a while for more
    const partitions = 16;
    const topic = await redis.topic({ partitions });
    let handled = 0;
    const consumer = redis.log.consumer({
      group: 'lingers',
      topics: topic,
      batch: { maxRecords: 50, lingerMs: 30 },
      batchHandler: (records) => {
        handled += records.length;
      },
    });
    await consumer.start();
    const producer = redis.log.producer();

    // when single records come, each after the ones before were handled
    for (let round = 1; round <= 8; round++) {
      for (let partition = 0; partition < partitions; partition++) {
        await producer.send({ topic, partition, value: round });
      }

      // then none of them waits for another record to come
      await waitFor(() => handled === round * partitions, { what: `round ${round}`, timeoutMs: 5000 });
    }
    await consumer.stop();
  });

  it.each([
    ['of another batch', { offset: 7 }, 'offset 7'],
    ['whose offset is no number', { offset: '0' }, 'offset "0"'],
    ['that is missing', undefined, 'undefined'],
  ])(
    'that says failed of a record %s fails the batch: none counts as handled by mistake',
    async (name, wrong, shown) => {
      // given a handler that names a record that it was not given
      const topic = await redis.topic();
      const group = `wrong-${name.replaceAll(' ', '-')}`;
      const consumer = redis.log.consumer({
        group,
        topics: topic,
        retry: false,
        batchHandler: (_records, batch) => batch.fail(wrong as never, new Error('no such order')),
      });
      await redis.log.producer().sendBatch(times(2, (value) => ({ topic, value })));

      // when
      await consumer.start();
      await waitFor(async () => (await redis.log.groups.lag(group))[0]?.lag === 0, { what: 'the batch to be settled' });
      await consumer.stop();

      // then both records are dead letters, which say why
      const why = `fail() takes one of records 0–1 of topic "${topic}", partition 0, got ${shown}.`;
      const dead = { headers: { 'millrace-reason': 'failed', 'millrace-error-message': why } };
      expect(await redis.records(`${topic}.dead-letters`)).toMatchObject([dead, dead]);
    },
  );
});
