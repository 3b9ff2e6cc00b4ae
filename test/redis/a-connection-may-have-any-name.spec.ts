import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Broker } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';

describe('a connection', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  // A consumer's name is a label of its metrics, too: there it has no control characters.
  it.each([
    ['mail sender'],
    ['créer une commande'],
    ['a\nb', 'a b'],
    ['tab\tand "quotes"', 'tab and "quotes"'],
    ['订单'],
  ])('that is named %j, and a consumer, work as any other', async (name, consumerName = name) => {
    // given names that Redis itself refuses
    const connection = await new RedisConnection({ url: server.url, prefix: `p-${name.length}`, name }).open();
    const broker = new Broker(connection);
    await broker.declareQueue({ name: 'q' });
    const seen: unknown[] = [];
    const consumer = broker.consumer({ queue: 'q', name: consumerName, handler: (payload) => void seen.push(payload) });
    await consumer.start();
    // when a message comes while the consumer waits, and after its connection was cut
    await broker.sendToQueue('q', 1);
    await waitFor(() => seen.length === 1, { what: 'the message' });
    await server.client().call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await waitFor(() => broker.sendToQueue('q', 2), { what: 'a publish after the cut' });
    await waitFor(() => seen.includes(2), { what: 'the message after the cut' });
    // then the connections say whose they are, as far as Redis takes it
    expect(String(await server.client().call('CLIENT', 'LIST'))).toMatch(/ name=[!-~]+:[!-~]+:wake /);
    await broker.close();
    connection.close();
  });
});
