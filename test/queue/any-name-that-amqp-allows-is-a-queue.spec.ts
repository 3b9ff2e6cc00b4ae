import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { deadLettersOf } from '@millrace/core';
import type { QueueHandle } from '@millrace/queue';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { queueKeys } from '../../libs/queue/src/store/keys.js';
import { awkwardNames } from '../names.js';
import { openBroker, ownPrefix } from './broker.js';

/** What waits in a queue, shard by shard. */
async function payloadsIn(queue: QueueHandle): Promise<unknown[]> {
  const payloads: unknown[] = [];
  let cursor: string | undefined;
  do {
    const page = await queue.ready({ cursor });
    payloads.push(...page.messages.map((message) => message.payload()));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return payloads;
}

describe('any name that AMQP allows', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  it.each(awkwardNames)('is that of an exchange and a queue that does all that queues do: %j', async (name) => {
    // given a queue that is bound, in two processes
    const prefix = ownPrefix();
    const [mine, theirs] = [await openBroker(server, prefix), await openBroker(server, prefix)];
    const { broker } = mine;
    await broker.declare({
      exchanges: [{ name, type: 'direct' }],
      queues: [{ name }],
      bindings: [{ exchange: name, queue: name, routingKey: name }],
    });
    const state = { isMended: false, attempts: 0 };
    const handled: unknown[] = [];
    const consumer = theirs.broker.consumer({
      queue: name,
      name,
      keepResultMs: 60_000,
      retry: { maxRetries: 1, backoff: 0 },
      handler: (payload) => {
        if (payload === 'poison' && ++state.attempts && !state.isMended) throw new Error('a bug');
        handled.push(payload);
        return payload;
      },
    });
    await consumer.start();

    // when a message is routed there, a request is replied to, and one is retried, dead-lettered and sent back
    const receipt = await theirs.broker.publish(name, name, 'routed', { messageId: 'm' });
    expect(await broker.request('', name, 'asked')).toBe('asked');
    await broker.sendToQueue(name, 'poison');
    const dead = broker.queue(deadLettersOf(name));
    await waitFor(async () => (await dead.counts()).ready === 1, { what: 'the dead letter' });
    expect(state.attempts).toBe(2);
    const [letter] = (await dead.deadLetters.list()).messages;
    expect(letter?.deaths[0]).toMatchObject({ queue: name, reason: 'failed' });
    state.isMended = true;
    expect((await dead.deadLetters.redrive()).redriven).toBe(1);

    // then each is handled, and nothing of it is left when it is deleted
    expect(receipt.queues).toEqual([name]);
    await waitFor(() => handled.length === 3, { what: 'all three' });
    expect(handled.sort()).toEqual(['asked', 'poison', 'routed']);
    const queue = broker.queue(name);
    await waitFor(async () => (await queue.counts()).unacked === 0, { what: 'all to be acknowledged' });
    expect(await queue.message('m')).toMatchObject({ state: 'completed', result: 'routed' });
    await consumer.stop();
    for (const queueName of [name, deadLettersOf(name)]) {
      expect(await broker.deleteQueue(queueName)).toBe(true);
      for (const key of Object.values(queueKeys(prefix, queueName)))
        expect(await mine.connection.commands.exists(key)).toBe(0);
    }
    expect(await broker.deleteExchange(name)).toBe(true);
    await Promise.all([mine.close(), theirs.close()]);
  });

  it('may be that of the queue to which the reply to a message goes', async () => {
    // given names that are made like the address of a process
    const { broker, close } = await openBroker(server, ownPrefix());
    const replies = ['reply:abcdefghijklmnop', 'reply:a', 'A:B'];
    await broker.declare({ queues: ['questions', ...replies].map((name) => ({ name })) });
    const consumer = broker.consumer({ queue: 'questions', replyQueues: replies, handler: (payload) => payload });
    await consumer.start();
    // when
    for (const replyTo of replies) await broker.sendToQueue('questions', replyTo, { replyTo, correlationId: 'c' });
    // then
    for (const name of replies) {
      const queue = broker.queue(name);
      await waitFor(async () => (await queue.counts()).ready === 1, { what: `the reply to ${name}` });
      const [reply] = (await queue.ready()).messages;
      expect([reply?.payload(), reply?.properties]).toMatchObject([name, { correlationId: 'c', type: 'result' }]);
    }
    await consumer.stop();
    await close();
  });

  it('is no other queue, shard or dead-letter queue', async () => {
    // given queues whose names look like each other's keys
    const { broker, close } = await openBroker(server, ownPrefix());
    const names = ['a', 'a:0', 'a:1', 'a%3A0', 'a%253A0', 'a%1F0', '{a', 'a}', 'é', 'e\u0301'];
    await broker.declare({ queues: names.map((name) => ({ name, ...(name === 'a' ? { shards: 2 } : {}) })) });
    // when each gets a message, and the sharded one a message per shard
    for (const name of names) await broker.sendToQueue(name, name, { shardKey: 'x' });
    const shardKeys = Array.from({ length: 8 }, (_, n) => `${n}`);
    for (const shardKey of shardKeys) await broker.sendToQueue('a', 'a', { shardKey });
    await broker.queue('a:1').pause();
    // then each has its own, and only its own is paused
    for (const name of names) {
      expect(await payloadsIn(broker.queue(name))).toEqual(Array(name === 'a' ? 9 : 1).fill(name));
      expect(await broker.queue(name).isPaused()).toBe(name === 'a:1');
    }
    expect(await broker.deleteQueue('a')).toBe(true);
    expect((await broker.queue('a:0').counts()).ready).toBe(1);
    await close();
  });

  it.each(['a\nb', 'a\u0000', '\u0085', 'a\ud83e'])(
    'has no %j: that is refused wherever a name is given',
    async (name) => {
      // given
      const { broker, close } = await openBroker(server, ownPrefix());
      await broker.declare({ exchanges: [{ name: 'e', type: 'direct' }], queues: [{ name: 'q' }] });
      // when, then
      const refused = new RegExp(`name "${JSON.stringify(name).slice(1, -1).replaceAll('\\', '.')}" holds`);
      await expect(broker.declareQueue({ name })).rejects.toThrow(refused);
      await expect(broker.declareExchange({ name, type: 'direct' })).rejects.toThrow(refused);
      await expect(broker.declareQueue({ name: 'q', deadLetter: { queue: name } })).rejects.toThrow(refused);
      await expect(broker.bind({ exchange: 'e', queue: name })).rejects.toThrow(refused);
      await expect(broker.bind({ exchange: 'e', topic: name })).rejects.toThrow(refused);
      expect(() => broker.consumer({ queue: name, handler: () => undefined })).toThrow(refused);
      expect(() => broker.consumer({ queue: 'q', name, handler: () => undefined })).toThrow(/name ".*" holds/);
      expect(await broker.plan({ queues: [{ name: 'q' }] })).toEqual([]);
      await close();
    },
  );
});
