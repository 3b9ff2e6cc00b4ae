import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Events } from '@millrace/delivery';
import { Broker } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { encodeFrame, noProperties } from '../../libs/queue/src/model/message-frame.js';

const entries = [Buffer.from([0xff, 0xfe, 1]), Buffer.from([0x2e, 0xff]), Buffer.from([0x7e, 0xc3, 0x28])];

describe('messages that something else put into a queue under names that are no text', () => {
  let server: RedisServer;
  let connection: RedisConnection;
  const losses: unknown[] = [];
  const events = new Events();
  events.on('lease-lost', (event) => losses.push(event));
  events.on('background-error', (event) => losses.push(event));
  beforeAll(async () => {
    server = await startRedis();
    connection = await new RedisConnection(server.connection).open();
  });
  afterAll(async () => {
    connection.close();
    await stopEverything();
  });

  it.each(['ready', 'delayed', 'unacked'])('are handled once, with those around them: %s', async (place) => {
    // given
    const queue = `q-${place}`;
    const broker = new Broker(connection, { events });
    await broker.declare({ queues: [{ name: queue }] });
    const redis = server.client();
    const key = (name: string) => `millrace:{queue:${queue}}:${name}`;
    const put = {
      ready: (entry: Buffer) => redis.rpush(key('ready'), entry),
      delayed: (entry: Buffer) => redis.zadd(key('delayed'), 1, entry),
      // As a turn leaves them whose reply was lost.
      unacked: async (entry: Buffer) => redis.sadd((await redis.keys(key('unacked:*')))[0] ?? '', entry),
    }[place];
    const handled: unknown[] = [];
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const handler = (value: unknown) => {
      handled.push(value);
      return value === 'first' ? released : undefined;
    };
    await broker.consumer({ queue, retry: false, handler, prefetch: 10, concurrency: 2 }).start();
    await broker.sendToQueue(queue, 'first');
    await waitFor(() => handled.length === 1, { what: 'the consumer to hold a message' });
    // when
    for (const [index, entry] of entries.entries()) {
      await redis.hset(key('messages'), entry, frameOf(index, queue));
      await put?.(entry);
    }
    await broker.sendToQueue(queue, 'good');
    // then
    const all = [0, 1, 2, 'good'];
    await waitFor(() => all.every((value) => handled.includes(value)), { what: 'all to be handled' });
    release();
    await waitFor(async () => (await redis.hlen(key('messages'))) === 0, { what: 'all to be acknowledged' });
    expect(handled).toHaveLength(5);
    expect(losses).toEqual([]);
    await broker.close();
  });
});

function frameOf(value: unknown, queue: string): Buffer {
  const parts = { priority: 0, codecId: 1, timestamp: 1, exchange: '', routingKey: queue, properties: noProperties };
  return encodeFrame({ ...parts, headers: {}, body: JSON.stringify(value) }, queue);
}
