import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Broker } from '@millrace/queue';
import { type RedisCluster, type RedisServer, startCluster, startRedis, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

const servers: [string, () => Promise<RedisServer | RedisCluster>][] = [
  ['one server', () => startRedis()],
  ['a cluster', () => startCluster({ replicasPerMaster: 0 })],
];

describe.each(servers)('on %s, a queue', (_, start) => {
  let server: RedisServer | RedisCluster;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server.stop());

  it('gets one copy however many bindings match, over however many exchanges', async () => {
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    // given
    await broker.declare({
      exchanges: [
        { name: 'e', type: 'topic' },
        { name: 'f', type: 'fanout' },
      ],
      queues: [{ name: 'a' }, { name: 'b' }],
      bindings: [
        { exchange: 'e', queue: 'a', routingKey: '#' },
        { exchange: 'e', queue: 'a', routingKey: 'x.*' },
        { exchange: 'e', queue: 'a', routingKey: 'x.y' },
        { exchange: 'e', queue: 'b', routingKey: 'x.y' },
        { exchange: 'e', toExchange: 'f', routingKey: 'x.y' },
        { exchange: 'f', queue: 'a' },
        { exchange: 'f', queue: 'b' },
      ],
    });
    // when
    const receipt = await broker.publish('e', 'x.y', 'once');
    // then
    expect([...receipt.queues].sort()).toEqual(['a', 'b']);
    const client = server.client();
    for (const name of ['a', 'b']) {
      expect(await client.lrange(`${prefix}:{queue:${name}}:ready`, 0, -1)).toEqual([receipt.messageId]);
      expect(await client.hlen(`${prefix}:{queue:${name}}:messages`)).toBe(1);
    }
    await close();
  });

  it('gets one copy of a message that is published again with its id', async () => {
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'a' });
    await broker.declareQueue({ name: 'forgetful', deduplicationWindowMs: 0 });
    const client = server.client();
    expect((await broker.sendToQueue('a', 1, { messageId: 'order-1' })).duplicates).toEqual([]);
    expect((await broker.sendToQueue('a', 1, { messageId: 'order-1' })).duplicates).toEqual(['a']);
    // Also when it was handled meanwhile.
    await handleAll(broker, 'a');
    expect((await broker.sendToQueue('a', 1, { messageId: 'order-1' })).duplicates).toEqual(['a']);
    expect(await client.exists(`${prefix}:{queue:a}:messages`)).toBe(0);
    // A queue without a window still never overwrites what it holds.
    await broker.sendToQueue('forgetful', 1, { messageId: 'order-1' });
    expect((await broker.sendToQueue('forgetful', 2, { messageId: 'order-1' })).duplicates).toEqual(['forgetful']);
    expect(await client.llen(`${prefix}:{queue:forgetful}:ready`)).toBe(1);
    await close();
  });

  it('forgets an id when its window is over, and keeps no more than the window holds', async () => {
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'a', deduplicationWindowMs: 1 });
    for (let n = 0; n < 50; n++) await broker.sendToQueue('a', n, { messageId: `order-${n}` });
    await handleAll(broker, 'a');
    expect(await server.client().zcard(`${prefix}:{queue:a}:seen`)).toBeLessThan(10);
    expect((await broker.sendToQueue('a', 'again', { messageId: 'order-0' })).duplicates).toEqual([]);
    await close();
  });
});

/** Handles what waits, one by one. */
async function handleAll(broker: Broker, queue: string): Promise<void> {
  const consumer = broker.consumer({ queue, prefetch: 1, handler: () => undefined });
  await consumer.start();
  const isEmpty = async () => {
    const { ready, unacked } = await broker.queue(queue).counts();
    return ready + unacked === 0;
  };
  await waitFor(isEmpty, { what: 'all to be handled' });
  await consumer.stop();
}
