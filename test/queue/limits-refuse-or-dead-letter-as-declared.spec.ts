import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeFrame, type QueueDeclaration } from '@millrace/queue';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

describe('the limits of a queue', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  /** A queue `q`, whose dead letters go to `dead`, and what stands in both. */
  async function queueWith(settings: Partial<QueueDeclaration>) {
    const prefix = ownPrefix();
    const opened = await openBroker(server, prefix);
    await opened.broker.declare({ queues: [{ name: 'q', ...settings }, { name: 'dead' }] });
    const client = server.client();
    const bodies = async (queue: string, list = 'ready'): Promise<unknown[]> => {
      const key = `${prefix}:{queue:${queue}}`;
      const ids = await client.lrange(`${key}:${list}`, 0, -1);
      const frames = await Promise.all(ids.map((id) => client.hgetBuffer(`${key}:messages`, id)));
      return frames.flatMap((frame) => (frame === null ? [] : [JSON.parse(decodeFrame(frame, queue).body.toString())]));
    };
    const deaths = async () => {
      const frames = await client.hvalsBuffer(`${prefix}:{queue:dead}:messages`);
      return frames.map((frame) => decodeFrame(frame, 'dead').deaths[0]?.reason);
    };
    return { ...opened, bodies, deaths, prefix, client };
  }
  const deadLetter = { queue: 'dead' };

  it('drop-head lets the oldest go', async () => {
    const { broker, bodies, close } = await queueWith({ maxLength: 3 });
    for (let n = 0; n < 5; n++) expect((await broker.sendToQueue('q', n)).queues).toEqual(['q']);
    expect(await bodies('q')).toEqual([2, 3, 4]);
    await broker.publishBatch(Array.from({ length: 10 }, (_, n) => ({ exchange: '', routingKey: 'q', body: 10 + n })));
    expect(await bodies('q')).toEqual([17, 18, 19]);
    await close();
  });

  it('drop-head dead-letters the oldest where dead letters go', async () => {
    const { broker, bodies, deaths, close } = await queueWith({ maxLength: 2, deadLetter });
    for (let n = 0; n < 4; n++) await broker.sendToQueue('q', n);
    await waitFor(async () => (await bodies('dead')).length === 2, { what: 'two dead letters' });
    expect(await bodies('q')).toEqual([2, 3]);
    expect((await bodies('dead')).sort()).toEqual([0, 1]);
    expect(await deaths()).toEqual(['maxlen', 'maxlen']);
    await close();
  });

  it('reject-publish refuses the new one and says so, and the other queues get theirs', async () => {
    const { broker, bodies, close } = await queueWith({ maxLength: 1, overflow: 'reject-publish' });
    await broker.declare({
      exchanges: [{ name: 'e', type: 'fanout' }],
      bindings: ['q', 'dead'].map((queue) => ({ exchange: 'e', queue })),
    });
    await broker.publish('e', '', 'first');
    const receipt = await broker.publish('e', '', 'second');
    expect(receipt.queues).toEqual(['dead']);
    expect(receipt.refused).toEqual([{ queue: 'q', reason: 'maxlen', isDeadLettered: false }]);
    expect(await bodies('q')).toEqual(['first']);
    expect(await bodies('dead')).toEqual(['first', 'second']);
    await close();
  });

  it('dead-letter gives the new one to the dead letters', async () => {
    const { broker, bodies, deaths, close } = await queueWith({ maxLength: 1, overflow: 'dead-letter', deadLetter });
    await broker.sendToQueue('q', 'first');
    const receipt = await broker.sendToQueue('q', 'second');
    expect(receipt.refused).toEqual([{ queue: 'q', reason: 'maxlen', isDeadLettered: true }]);
    await waitFor(async () => (await bodies('dead')).length === 1, { what: 'the dead letter' });
    expect([await bodies('q'), await bodies('dead'), await deaths()]).toEqual([['first'], ['second'], ['maxlen']]);
    await close();
  });

  it('counts bytes as well, also when that limit comes later', async () => {
    const { broker, bodies, close } = await queueWith({});
    for (let n = 0; n < 5; n++) await broker.sendToQueue('q', 'x'.repeat(100));
    await broker.declareQueue({ name: 'q', maxBytes: 600, overflow: 'reject-publish' }, { onChange: 'apply' });
    expect((await broker.sendToQueue('q', 'small')).refused).toEqual([]);
    expect((await broker.sendToQueue('q', 'x'.repeat(100))).refused.length).toBe(1);
    await broker.declareQueue({ name: 'q', maxBytes: 300 }, { onChange: 'apply' });
    await broker.sendToQueue('q', 'last');
    expect(await bodies('q')).toEqual(['x'.repeat(100), 'x'.repeat(100), 'small', 'last']);
    await close();
  });

  it('a message expires anywhere in the queue, without consumers', async () => {
    const { broker, bodies, deaths, close } = await queueWith({ deadLetter });
    await broker.sendToQueue('q', 'stays');
    await broker.sendToQueue('q', 'goes', { expirationMs: 30 });
    await broker.sendToQueue('q', 'stays too', { expirationMs: 60_000 });
    await waitFor(async () => (await bodies('dead')).length === 1, { what: 'the expired message' });
    expect([await bodies('q'), await deaths()]).toEqual([['stays', 'stays too'], ['expired']]);
    await close();
  });

  it('a queue has a time to live for all its messages; the shorter one counts', async () => {
    const { broker, bodies, client, prefix, close } = await queueWith({ messageTtlMs: 50, deadLetter });
    await broker.sendToQueue('q', 1, { expirationMs: 60_000 });
    await broker.sendToQueue('q', 2);
    await waitFor(async () => (await bodies('dead')).length === 2, { what: 'both to expire' });
    expect(await client.hlen(`${prefix}:{queue:q}:messages`)).toBe(0);
    await close();
  });

  it('ten levels of priority, clamped to those there are; the lowest makes room first', async () => {
    const { broker, bodies, close } = await queueWith({ priorities: 3, maxLength: 4 });
    for (const priority of [0, 1, 2, 200, 1]) await broker.sendToQueue('q', priority, { priority });
    expect([await bodies('q'), await bodies('q', 'ready:1'), await bodies('q', 'ready:2')]).toEqual([
      [],
      [1, 1],
      [2, 200],
    ]);
    await expect(broker.declareQueue({ name: 'p', priorities: 11 })).rejects.toThrow(/from 1 to 10/);
    await close();
  });

  it('an idle queue goes, and an exclusive one with its broker; what is bound to them too', async () => {
    const { broker, client, prefix, close } = await queueWith({ idleExpiryMs: 50 });
    const { broker: other, close: closeOther } = await openBroker(server, prefix);
    await other.declareQueue({ name: 'mine', exclusive: true });
    await expect(broker.declareQueue({ name: 'mine', exclusive: true })).rejects.toThrow(/owner/);
    await broker.declare({
      exchanges: [{ name: 'e', type: 'fanout' }],
      bindings: ['q', 'mine', 'dead'].map((queue) => ({ exchange: 'e', queue })),
    });
    await broker.sendToQueue('mine', 1);
    await closeOther();
    await waitFor(
      async () => (await client.keys(`${prefix}:{queue:[qm]*`)).every((key) => key.includes(':published:')),
      {
        what: 'both queues to be gone',
      },
    );
    await expect(broker.sendToQueue('mine', 1)).rejects.toThrow(/queue "mine" does not exist/);
    await expect(broker.sendToQueue('q', 1)).rejects.toThrow(/queue "q" does not exist/);
    for (const name of ['q', 'mine']) await broker.declareQueue({ name });
    expect((await broker.publish('e', '', 1)).queues).toEqual(['dead']);
    await close();
  });

  it('a queue is idle from when its last consumer left', async () => {
    const { broker, client, prefix, close } = await queueWith({ idleExpiryMs: 3_600_000 });
    const consumer = broker.consumer({ queue: 'q', handler: () => undefined });
    await consumer.start();
    const state = `${prefix}:{queue:q}:state`;
    await client.hset(state, 'used-at', 1);
    const [seconds] = await client.time();
    await consumer.stop();
    expect(Number(await client.hget(state, 'used-at'))).toBeGreaterThanOrEqual(Number(seconds) * 1000);
    await close();
  });

  it('an exclusive queue lets only its own connection consume, an auto-delete one goes with its last consumer', async () => {
    const { broker, prefix, close } = await queueWith({ autoDelete: true });
    const { broker: other, close: closeOther } = await openBroker(server, prefix);
    await other.declareQueue({ name: 'mine', exclusive: true });
    const handler = () => undefined;
    await expect(broker.consumer({ queue: 'mine', handler }).start()).rejects.toThrow(/exclusive to the connection/);
    await other.consumer({ queue: 'mine', handler }).start();
    // An auto-delete queue waits for its first consumer.
    await broker.sendToQueue('q', 1);
    const consumers = [broker.consumer({ queue: 'q', handler }), broker.consumer({ queue: 'q', handler })];
    for (const consumer of consumers) await consumer.start();
    await consumers[0]?.stop();
    await broker.sendToQueue('q', 2);
    await consumers[1]?.stop();
    await expect(broker.sendToQueue('q', 3)).rejects.toThrow(/queue "q" does not exist/);
    await Promise.all([close(), closeOther()]);
  });
});
