import { afterAll, describe, expect, it } from '@jest/globals';
import { startRedis, stopEverything } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

describe('exchanges that share a store', () => {
  afterAll(stopEverything);

  it('never leak bindings to each other, not even the one with the empty key', async () => {
    const server = await startRedis();
    const { broker, close } = await openBroker(server, ownPrefix());
    // given: names of which one begins, ends or contains the other
    const exchanges = ['a', 'ab', 'b', 'a.b', 'A'];
    const keys = ['', '.', '#', 'a', 'b.', '*'];
    await broker.declare({
      exchanges: exchanges.map((name) => ({ name, type: 'topic' })),
      queues: exchanges.flatMap((name) => keys.map((_, index) => ({ name: `${name}-${index}` }))),
      bindings: exchanges.flatMap((exchange) =>
        keys.map((routingKey, index) => ({ exchange, queue: `${exchange}-${index}`, routingKey })),
      ),
    });
    for (const exchange of exchanges) {
      for (const key of ['', '.', 'a', 'b.', 'zzz.zzz']) {
        // when
        const { queues } = await broker.publish(exchange, key, null);
        // then
        expect(queues.length).toBeGreaterThan(0);
        expect(queues.filter((queue) => !queue.startsWith(`${exchange}-`))).toEqual([]);
      }
    }
    await broker.unbind({ exchange: 'a', queue: 'a-0', routingKey: '' });
    expect((await broker.publish('a', '', null)).queues).not.toContain('a-0');
    expect((await broker.publish('ab', '', null)).queues).toContain('ab-0');
    await close();
  });

  it('never leak over prefixes either', async () => {
    const server = await startRedis();
    const [one, two] = [await openBroker(server, ownPrefix()), await openBroker(server, ownPrefix())];
    for (const { broker } of [one, two])
      await broker.declare({ exchanges: [{ name: 'e', type: 'fanout' }], queues: [{ name: 'q' }] });
    await one.broker.bind({ exchange: 'e', queue: 'q' });
    expect((await one.broker.publish('e', '', 1)).queues).toEqual(['q']);
    expect((await two.broker.publish('e', '', 1)).isUnroutable).toBe(true);
    await Promise.all([one.close(), two.close()]);
  });
});
