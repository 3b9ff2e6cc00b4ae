import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InvalidMessageError, WriteError } from '@millrace/core';
import { BatchWriteError } from '@millrace/log';
import { waitFor } from '@millrace/testing';
import { LogOnRedis, times } from './log-on-redis.js';

describe('a batch', () => {
  let redis: LogOnRedis;
  beforeAll(async () => {
    redis = await LogOnRedis.start({ aof: 'always' });
  });
  afterAll(() => redis.stop());

  it('is in the log whole or not at all after Redis was killed in the middle of sending', async () => {
    // given
    const topic = await redis.topic();
    const producer = redis.log.producer({ deliveryTimeoutMs: 2000 });
    const outcomes: { batch: number; isConfirmed: boolean; mayBeWritten: boolean }[] = [];
    let confirmed = 0;
    let batches = 0;
    const sendUntilOneFails = async () => {
      for (;;) {
        const batch = batches++;
        const records = times(50, (n) => ({ topic, value: { batch, n, pad: 'x'.repeat(500) } }));
        const error = await producer.sendBatch(records).then(
          () => void (++confirmed === 3 && redis.server.kill()),
          (thrown: unknown) => thrown,
        );
        const mayBeWritten = error instanceof WriteError && error.mayBeWritten;
        outcomes.push({ batch, isConfirmed: error === undefined, mayBeWritten });
        if (error !== undefined) return;
      }
    };
    // when
    await Promise.all(times(20, sendUntilOneFails));
    await waitFor(() => !redis.server.isRunning, { what: 'the end of the server' });
    await redis.server.restart();
    await redis.connection.whenReady(5000);
    // then
    const found = new Map<number, number>();
    for (const { value } of await redis.records<{ batch: number }>(topic)) {
      found.set(value.batch, (found.get(value.batch) ?? 0) + 1);
    }
    expect(new Set(outcomes.map(({ isConfirmed }) => isConfirmed)).size).toBe(2);
    for (const { batch, isConfirmed, mayBeWritten } of outcomes) {
      expect([0, 50]).toContain(found.get(batch) ?? 0);
      if (isConfirmed) expect(found.get(batch)).toBe(50);
      else if (!mayBeWritten) expect(found.get(batch)).toBeUndefined();
    }
  });

  it('is not written at all when one of its records is wrong', async () => {
    // given
    const topic = await redis.topic();
    const producer = redis.log.producer();
    // when
    const sending = producer.sendBatch([...times(10, (value) => ({ topic, value })), { topic, value: () => 1 }]);
    // then
    await expect(sending).rejects.toThrow(InvalidMessageError);
    expect(await redis.log.endOffset(topic, 0)).toBe(0);
  });

  it('says of each record how it went when only some partitions could be written', async () => {
    // given
    const topic = await redis.topic({ partitions: 2, retention: { maxRecords: 2, unread: 'reject' } });
    await redis.admin.xgroup('CREATE', `millrace:{log:${topic}:1}:records`, 'slow', '0-0', 'MKSTREAM');
    const producer = redis.log.producer();
    await producer.sendBatch(times(2, (value) => ({ topic, partition: 1, value })));
    // when
    const error: unknown = await producer
      .sendBatch([0, 1, 0, 1].map((partition, value) => ({ topic, partition, value })))
      .catch((thrown: unknown) => thrown);
    // then
    expect(error).toBeInstanceOf(BatchWriteError);
    expect(error).toMatchObject({ failure: 'full', mayBeWritten: true });
    const { results } = error as BatchWriteError;
    expect(results[0]).toMatchObject({ partition: 0, offset: 0 });
    expect(results[1]).toMatchObject({ failure: 'full', mayBeWritten: false });
    expect(results[2]).toMatchObject({ partition: 0, offset: 1 });
  });
});
