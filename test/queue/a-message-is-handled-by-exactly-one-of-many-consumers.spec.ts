import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker } from './broker.js';

describe('a message', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  it('is handled by exactly one of many consumers', async () => {
    // given: ten consumers in three processes' worth of brokers
    const brokers = await Promise.all([1, 2, 3].map(() => openBroker(server, 'exactly-one')));
    const [first] = brokers;
    await first?.broker.declareQueue({ name: 'q' });
    const handledBy = new Map<unknown, string[]>();
    const consumers = Array.from({ length: 10 }, (_, index) => {
      const handler = (payload: unknown) => {
        handledBy.set(payload, [...(handledBy.get(payload) ?? []), `c${index}`]);
      };
      return brokers[index % 3]?.broker.consumer({ queue: 'q', concurrency: 3, handler });
    });
    await Promise.all(consumers.map((consumer) => consumer?.start()));
    // when: some arrive one by one, most in bulk
    for (let n = 0; n < 50; n++) await first?.broker.sendToQueue('q', n);
    const bulk = Array.from({ length: 5000 }, (_, n) => ({ exchange: '', routingKey: 'q', body: n + 50 }));
    await first?.broker.publishBatch(bulk);
    // then
    await waitFor(() => handledBy.size === 5050, { what: '5050 messages to be handled' });
    expect([...handledBy.values()].filter((by) => by.length !== 1)).toEqual([]);
    await Promise.all(consumers.map((consumer) => consumer?.stop()));
    const client = server.client({ keyPrefix: 'exactly-one:{queue:q}:' });
    expect(await client.hlen('messages')).toBe(0);
    expect(await client.zcard('consumers')).toBe(0);
    await Promise.all(brokers.map(({ close }) => close()));
  });
});
