import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Broker, BrokerOptions } from '@millrace/queue';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

describe('a message ends once, and leaves nothing behind', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  /** A queue, and what arrives in its dead letters. */
  async function queueAndItsDead(options: Partial<BrokerOptions> = {}) {
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix, options);
    await broker.declareQueue({ name: 'dead' });
    await broker.declareQueue({ name: 'q', deadLetter: { queue: 'dead' } });
    const dead: unknown[] = [];
    const handler = (payload: unknown, { deaths }: { deaths: readonly { readonly reason: string }[] }) =>
      void dead.push(`${payload} ${deaths[0]?.reason}`);
    await broker.consumer({ queue: 'dead', handler }).start();
    return { broker, close, dead, redis: server.client({ keyPrefix: `${prefix}:{queue:q}:` }), prefix };
  }

  /** Pauses the queue and sends three messages, of which the second expires. What its consumer sees is added to the result. */
  async function threeWhileItIsPaused(broker: Broker): Promise<unknown[]> {
    const seen: unknown[] = [];
    await broker.queue('q').pause();
    await broker.consumer({ queue: 'q', handler: (payload) => void seen.push(payload) }).start();
    await broker.sendToQueue('q', 'first');
    await broker.sendToQueue('q', 'short-lived', { expirationMs: 50 });
    await broker.sendToQueue('q', 'third');
    return seen;
  }

  it("also when Redis lost writes, and one of those that are acknowledged together is not its consumer's any more", async () => {
    // given two messages that are being handled
    const { broker, redis, close } = await queueAndItsDead();
    const ends: (() => void)[] = [];
    const handler = () => new Promise<void>((resolve) => ends.push(resolve));
    await broker.consumer({ queue: 'q', concurrency: 2, handler }).start();
    await broker.sendToQueue('q', 'one');
    await broker.sendToQueue('q', 'two');
    await waitFor(() => ends.length === 2, { what: 'two messages' });
    // when one of them is gone from what the consumer holds, and both are acknowledged in one turn
    const [consumer = ''] = await redis.zrange('consumers', '0', '-1');
    const [entry = ''] = await redis.smembers(`unacked:${consumer}`);
    await redis.srem(`unacked:${consumer}`, entry);
    for (const end of ends.splice(0)) end();
    // then neither stays behind without a place: what the consumer does not know comes again
    await waitFor(() => ends.length === 2, { what: 'both of them again' });
    for (const end of ends.splice(0)) end();
    await waitFor(async () => (await redis.hlen('messages')) === 0, { what: 'an empty queue' });
    expect(await redis.keys('*unacked*')).toEqual([]);
    await close();
  });

  it('when it expires while it waits for a retry', async () => {
    // given a message that lives for half a second, and is to be retried in an hour
    const { broker, close, dead } = await queueAndItsDead();
    let attempts = 0;
    const handler = () => {
      attempts++;
      throw new Error('later');
    };
    await broker.consumer({ queue: 'q', retry: { maxRetries: 5, backoff: 3_600_000 }, handler }).start();
    // when it fails, then it is dead-lettered at the end of its life
    await broker.sendToQueue('q', 'short-lived', { expirationMs: 500 });
    await waitFor(() => dead.length === 1, { what: 'the dead letter' });
    expect(dead).toEqual(['short-lived expired']);
    expect(attempts).toBe(1);
    expect(await broker.queue('q').counts()).toMatchObject({ ready: 0, delayed: 0, unacked: 0 });
    await close();
  });

  it.each([
    ['that waits for it', false],
    ['whose queue is paused', true],
  ])('when it has expired: its dead letter is carried on by a consumer %s', async (_, isPaused) => {
    // given a consumer alone, at rest, in a process without upkeep, and one for the dead letters
    const { broker, dead, close } = await queueAndItsDead({ upkeep: false });
    const isFirst = { maxRetries: 1, backoff: 3_600_000 };
    const handler = () => {
      throw new Error('later');
    };
    if (isPaused) await broker.queue('q').pause();
    await broker.consumer({ queue: 'q', leaseMs: 3_600_000, retry: isFirst, handler }).start();
    // when
    await broker.sendToQueue('q', 'short-lived', { expirationMs: 300 });
    // then
    await waitFor(() => dead.length === 1, { what: 'the dead letter', timeoutMs: 8000 });
    expect(dead).toEqual(['short-lived expired']);
    await close();
  });

  it('when it expires among others that wait', async () => {
    // given the second of three that expires, in a queue that is paused
    const { broker, close, dead } = await queueAndItsDead();
    const seen = await threeWhileItIsPaused(broker);
    // when it is dead-lettered, and the others are taken
    await waitFor(() => dead.length === 1, { what: 'the dead letter' });
    await broker.queue('q').resume();
    await waitFor(() => seen.length >= 2, { what: 'the others' });
    await broker.sendToQueue('q', 'last');
    await waitFor(() => seen.includes('last'), { what: 'one more' });
    // then no other consumer saw it
    expect(seen).toEqual(['first', 'third', 'last']);
    expect(dead).toEqual(['short-lived expired']);
    await close();
  });

  it('when it has expired, and cannot leave for its dead letters yet', async () => {
    // given a queue whose dead letters go to one that is full
    const { broker, close } = await openBroker(server, ownPrefix());
    await broker.declareQueue({ name: 'dead', maxLength: 1, overflow: 'reject-publish' });
    await broker.sendToQueue('dead', 'is full');
    await broker.declareQueue({ name: 'q', deadLetter: { queue: 'dead' } });
    const seen = await threeWhileItIsPaused(broker);
    await waitFor(async () => (await broker.queue('q').counts()).dying === 1, { what: 'it to be a dead letter' });
    // when the others are taken
    await broker.queue('q').resume();
    await broker.sendToQueue('q', 'last');
    await waitFor(() => seen.includes('last'), { what: 'the others' });
    // then it is not among them, and it is not lost either
    expect(seen).toEqual(['first', 'third', 'last']);
    expect(await broker.queue('q').counts()).toMatchObject({ ready: 0, dying: 1 });
    await close();
  });

  it('when it was retried, then given up', async () => {
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'q' });
    const died: unknown[] = [];
    broker.events.on('dead-lettered', (event) => died.push(event));
    const handler = async () => {
      throw new Error('never');
    };
    const consumer = broker.consumer({ queue: 'q', retry: { maxRetries: 2, backoff: 1 }, handler });
    await consumer.start();
    await broker.sendToQueue('q', 'poison', { expirationMs: 3_600_000 });
    const redis = server.client();
    const arrived = async () => (await redis.hlen(`${prefix}:{queue:q.dead-letters}:messages`)) === 1;
    await waitFor(arrived, { what: 'the dead letter' });
    const isEmpty = async () => (await redis.hlen(`${prefix}:{queue:q}:messages`)) === 0;
    await waitFor(isEmpty, { what: 'the queue to forget it' });
    await consumer.stop();
    // then nothing of it is left in the queue's slot
    const keys = await redis.keys(`${prefix}:{queue:q}:*`);
    const names = keys.map((key) => key.slice(`${prefix}:{queue:q}:`.length));
    // On a cluster the record of a publish, which expires, stands in the queue's slot.
    expect(names.filter((name) => !name.startsWith('published:')).sort()).toEqual(['settings', 'state']);
    expect(died).toHaveLength(1);
    await close();
  });

  it('and one that was cancelled does not take the next of its id with it', async () => {
    // given a message that is cancelled while it runs
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'q', deduplicationWindowMs: 0 });
    const signals: AbortSignal[] = [];
    const ends: (() => void)[] = [];
    const consumer = broker.consumer({
      queue: 'q',
      leaseMs: 600,
      handler: (_, { signal }) => {
        signals.push(signal);
        return new Promise<void>((resolve) => ends.push(resolve));
      },
    });
    await consumer.start();
    await broker.sendToQueue('q', 1, { messageId: 'm' });
    await waitFor(() => signals.length === 1, { what: 'it to run' });
    expect(await broker.queue('q').cancel('m')).toBe('cancelling');
    await waitFor(() => signals[0]?.aborted, { what: 'its signal to be aborted' });
    ends[0]?.();
    await waitFor(async () => (await broker.queue('q').message('m')) === undefined, { what: 'it to be gone' });
    // when another of its id runs, for several heartbeats
    await broker.sendToQueue('q', 2, { messageId: 'm' });
    await waitFor(() => signals.length === 2, { what: 'the next one to run' });
    const redis = server.client({ keyPrefix: `${prefix}:{queue:q}:` });
    const deadlines = new Set<string | null>();
    const consumerId = consumer.status.consumer ?? '';
    await waitFor(async () => deadlines.add(await redis.zscore('consumers', consumerId)).size > 3, {
      what: 'heartbeats',
    });
    // then nothing is said of it
    expect(signals[1]?.aborted).toBe(false);
    expect(await redis.exists('cancels')).toBe(0);
    ends[1]?.();
    await close();
  });
});
