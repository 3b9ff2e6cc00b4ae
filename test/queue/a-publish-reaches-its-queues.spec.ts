import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeFrame } from '@millrace/queue';
import { type RedisServer, startRedis, stopEverything } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

describe('a publish', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  it('reaches every queue its bindings lead to, and says so', async () => {
    const prefix = ownPrefix();
    const { broker, connection, close } = await openBroker(server, prefix);
    // given
    await broker.declare({
      exchanges: [{ name: 'orders', type: 'topic' }],
      queues: [{ name: 'mail' }, { name: 'audit' }, { name: 'other' }],
      bindings: [
        { exchange: 'orders', queue: 'mail', routingKey: 'order.*' },
        { exchange: 'orders', queue: 'audit', routingKey: '#' },
        { exchange: 'orders', queue: 'other', routingKey: 'invoice.*' },
      ],
    });
    // when
    const headers = { tenant: 'a', attempt: 1, is: true, none: null };
    const receipt = await broker.publish('orders', 'order.new', { id: 7 }, { headers, correlationId: 'c', type: 't' });
    // then
    expect([...receipt.queues].sort()).toEqual(['audit', 'mail']);
    expect(receipt).toMatchObject({ isUnroutable: false, refused: [], duplicates: [], topics: [] });
    const frame = await connection.commands.hgetBuffer(`${prefix}:{queue:mail}:messages`, receipt.messageId);
    const message = decodeFrame(frame ?? Buffer.alloc(0), 'mail');
    expect(JSON.parse(message.body.toString())).toEqual({ id: 7 });
    expect(message).toMatchObject({ exchange: 'orders', routingKey: 'order.new', priority: 0, deaths: [] });
    expect(message.properties).toMatchObject({ correlationId: 'c', type: 't' });
    expect({ ...message.headers }).toEqual(headers);
    expect(await connection.commands.lrange(`${prefix}:{queue:mail}:ready`, 0, -1)).toEqual([receipt.messageId]);
    expect(await connection.commands.exists(`${prefix}:{queue:other}:messages`)).toBe(0);
    await close();
  });

  it('goes straight into a queue by its name', async () => {
    const prefix = ownPrefix();
    const { broker, connection, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'mail' });
    const receipts = await Promise.all(Array.from({ length: 1200 }, (_, n) => broker.sendToQueue('mail', { n })));
    const ids = receipts.map(({ messageId }) => messageId);
    expect(await connection.commands.lrange(`${prefix}:{queue:mail}:ready`, 0, -1)).toEqual(ids);
    const frame = await connection.commands.hgetBuffer(`${prefix}:{queue:mail}:messages`, ids[1199] ?? '');
    const message = decodeFrame(frame ?? Buffer.alloc(0), 'mail');
    expect(message).toMatchObject({ exchange: '', routingKey: 'mail' });
    expect(JSON.parse(message.body.toString())).toEqual({ n: 1199 });
    await close();
  });
});
