import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Log } from '@millrace/log';
import { RedisConnection } from '@millrace/redis';
import { type Replicated, startReplicated, stopEverything, waitFor } from '@millrace/testing';

describe('a record that is given up, where dead letters need a replica', () => {
  let replicated: Replicated;
  let connection: RedisConnection;
  beforeAll(async () => {
    replicated = await startReplicated({ replicas: 1 });
    connection = await new RedisConnection({ url: replicated.primary.url }).open();
  });
  afterAll(async () => {
    connection.close();
    await stopEverything();
  });

  it('is committed only when the replica has its dead letter, which is written once', async () => {
    // given a replica that does not reply any more
    const log = new Log(connection);
    const [replica] = replicated.replicas;
    await log.declareTopic({ name: 'orders' });
    await log.declareTopic({ name: 'orders.dead-letters', deadLetter: false });
    const reported: string[] = [];
    log.events.on('background-error', ({ error }) => reported.push(String(error)));
    const consumer = log.consumer({
      group: 'g',
      topics: 'orders',
      retry: false,
      minReplicas: 1,
      replicaTimeoutMs: 200,
      handler: () => Promise.reject(new Error('on purpose')),
    });
    await consumer.start();
    await replica!.freeze();

    // when a record is given up
    await log.producer().send({ topic: 'orders', value: 1 });
    await waitFor(() => reported.filter((text) => text.includes('only 0 of 1 replicas')).length >= 2, {
      what: 'two errors',
    });

    // then it stays unfinished until the replica is back, and its dead letter is there once
    const lag = async () => (await log.groups.lag('g')).reduce((sum, part) => sum + part.lag, 0);
    expect(await lag()).toBe(1);
    replica!.thaw();
    await waitFor(async () => (await lag()) === 0, { what: 'the commit' });
    expect(await log.endOffset('orders.dead-letters', 0)).toBe(1);
    expect(await replica!.client().hget('millrace:{log:orders.dead-letters:0}:meta', 'end')).toBe('1');
    await log.close();
  });
});
