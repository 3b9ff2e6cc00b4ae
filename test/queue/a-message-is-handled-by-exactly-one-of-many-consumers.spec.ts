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
    // None goes on before each has a message: all of them take part.
    const taking = new Set<number>();
    let goOn = (): void => undefined;
    const allTake = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const consumers = Array.from({ length: 10 }, (_, index) => {
      const handler = async (payload: unknown): Promise<void> => {
        handledBy.set(payload, [...(handledBy.get(payload) ?? []), `c${index}`]);
        if (taking.add(index).size === 10) goOn();
        await allTake;
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
    await Promise.all(consumers.map((consumer) => consumer?.stop()));
    expect([...handledBy.values()].filter((by) => by.length !== 1)).toEqual([]);
    const client = server.client({ keyPrefix: 'exactly-one:{queue:q}:' });
    expect(await client.hlen('messages')).toBe(0);
    expect(await client.zcard('consumers')).toBe(0);
    await Promise.all(brokers.map(({ close }) => close()));
  });
});
