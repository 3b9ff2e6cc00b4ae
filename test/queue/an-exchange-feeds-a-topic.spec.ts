import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { bridge, replay } from '@millrace/bridge';
import { InvalidMessageError, TopicNotFoundError, TopologyNotFoundError } from '@millrace/core';
import { Log, type LogRecord } from '@millrace/log';
import { type RedisServer, startRedis, stopEverything } from '@millrace/testing';
import { type OpenBroker, openBroker, ownPrefix } from './broker.js';

describe('an exchange and a log', () => {
  let server: RedisServer | undefined;
  let opened: OpenBroker;
  let log: Log;
  let prefix: string;
  beforeEach(async () => {
    server ??= await startRedis();
    prefix = ownPrefix();
    opened = await openBroker(server, prefix);
    log = new Log(opened.connection);
    await log.declareTopic({ name: 'events', partitions: 2 });
    await opened.broker.declare({ exchanges: [{ name: 'orders', type: 'topic' }], queues: [{ name: 'mail' }] });
  });
  const close = async (): Promise<void> => {
    await opened.close();
    await log.close();
  };
  afterAll(stopEverything);

  const recordsOf = async (partition: number): Promise<LogRecord[]> => {
    const records: LogRecord[] = [];
    for await (const record of log.read({ topic: 'events', partition })) records.push(record);
    return records;
  };

  it('a binding to a topic puts the message into the log, beside the queues', async () => {
    const { broker } = opened;
    bridge(broker, log, { key: ({ headers }) => String(headers.customer) });
    await broker.bind({ exchange: 'orders', topic: 'events', routingKey: 'order.#' });
    await broker.bind({ exchange: 'orders', queue: 'mail', routingKey: 'order.paid' });
    // when
    const headers = { customer: 'c1' };
    const paid = await broker.publish('orders', 'order.paid', { id: 1 }, { headers });
    const sent = await broker.publish('orders', 'order.sent', { id: 2 }, { headers, mandatory: true });
    // then
    expect([paid.queues, sent.queues]).toEqual([['mail'], []]);
    const [first, second] = [paid.topics[0], sent.topics[0]];
    expect([first?.topic, first?.offset, second?.offset]).toEqual(['events', 0, 1]);
    const records = await recordsOf(first?.partition ?? 0);
    expect(records.map(({ value, key }) => [value, key])).toEqual([
      [{ id: 1 }, 'c1'],
      [{ id: 2 }, 'c1'],
    ]);
    expect(records[0]?.headers).toMatchObject({
      customer: 'c1',
      'x-exchange': 'orders',
      'x-routing-key': 'order.paid',
    });
    await close();
  });

  it('says clearly what is missing, and publishes nothing', async () => {
    const { broker, connection } = opened;
    await broker.bind({ exchange: 'orders', topic: 'events', routingKey: '#' });
    await broker.bind({ exchange: 'orders', queue: 'mail', routingKey: '#' });
    await expect(broker.publish('orders', 'k', 1)).rejects.toThrow(/bridge\(broker, log\)/);
    bridge(broker, log);
    await expect(broker.publish('orders', 'k', 1, { delayMs: 5 })).rejects.toThrow(InvalidMessageError);
    await expect(broker.bind({ exchange: 'orders', topic: 'none' })).rejects.toThrow(TopicNotFoundError);
    expect(await connection.commands.exists(`${prefix}:{queue:mail}:messages`)).toBe(0);
    expect([await recordsOf(0), await recordsOf(1)]).toEqual([[], []]);
    await close();
  });

  it('a range of the log is replayed into a queue, once though it is repeated with its id', async () => {
    const { broker, connection } = opened;
    const producer = log.producer();
    for (let n = 0; n < 10; n++) {
      await producer.send({
        topic: 'events',
        partition: 0,
        value: n,
        key: `k${n}`,
        headers: { n },
        timestamp: 1000 + n,
      });
    }
    const ready = () => connection.commands.lrange(`${prefix}:{queue:mail}:ready`, 0, -1);
    // when
    const range = { topic: 'events', partitions: [0], from: 2, to: { timestamp: 1008 }, into: { queue: 'mail' } };
    const where = ({ value }: LogRecord) => value !== 5;
    const done = await replay(log, broker, { ...range, where });
    // then
    expect(done).toMatchObject({ published: 5, skipped: 1, unplaced: 0 });
    const { messages } = await broker.queue('mail').ready();
    expect(messages.map(({ messageId }) => messageId)).toEqual([2, 3, 4, 6, 7].map((n) => `${done.id}:0:${n}`));
    await replay(log, broker, { ...range, id: done.id });
    expect((await ready()).length).toBe(6);
    await replay(log, broker, range);
    expect((await ready()).length).toBe(12);
    await close();
  });

  it('a range is replayed through an exchange, routed by its keys', async () => {
    const { broker } = opened;
    await broker.bind({ exchange: 'orders', queue: 'mail', routingKey: 'k3' });
    const producer = log.producer();
    for (let n = 0; n < 5; n++) await producer.send({ topic: 'events', value: n, key: `k${n}` });
    const done = await replay(log, broker, { topic: 'events', into: { exchange: 'orders' } });
    expect(done).toMatchObject({ published: 1, unplaced: 4 });
    await expect(replay(log, broker, { topic: 'events', into: { exchange: 'none' } })).rejects.toThrow(
      TopologyNotFoundError,
    );
    await close();
  });
});
