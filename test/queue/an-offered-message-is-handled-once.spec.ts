import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';
import { spawnConsumer } from './consuming.js';

describe('a message that was offered to a consumer with its wake-up', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  it('is handled by another when that consumer dies before it has claimed it', async () => {
    // given: Redis takes a dead consumer for a waiting one
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'q' });
    const redis = server.client({ keyPrefix: `${prefix}:{queue:q}:` });
    await redis.zadd('idle', 0, '500.00000001.dead');
    await broker.sendToQueue('q', 'm');
    expect(await redis.llen('wake')).toBe(1);
    expect(await redis.zcard('offered')).toBe(1);
    const seen: unknown[] = [];
    // when: the offer is lost with it, and no consumer claims it in time
    await redis.del('wake');
    await redis.hset('state', { recall: 1, 'recall-at': 1 });
    const handler = (payload: unknown) => void seen.push(payload);
    await broker.consumer({ queue: 'q', leaseMs: 3000, handler }).start();
    // then
    await waitFor(() => seen.length === 1, { what: 'another to handle it' });
    await waitFor(async () => (await redis.hlen('messages')) === 0, { what: 'it to be settled' });
    await close();
  });

  it('is listed among what is ready until it is claimed, and can be removed there', async () => {
    // given: two messages, of which one is offered to a dead consumer
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'q' });
    const redis = server.client({ keyPrefix: `${prefix}:{queue:q}:` });
    await redis.zadd('idle', 0, '500.00000001.dead');
    const queue = broker.queue('q');
    const { messageId: offered } = await broker.sendToQueue('q', 1);
    const { messageId: waiting } = await broker.sendToQueue('q', 2);
    expect(await redis.zcard('offered')).toBe(1);
    // when: all is read, one message per page
    const listed: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await queue.ready({ limit: 1, cursor });
      listed.push(...page.messages.map(({ messageId }) => messageId));
      cursor = page.cursor;
    } while (cursor !== undefined);
    // then
    expect(listed).toEqual([offered, waiting]);
    expect(await queue.counts()).toMatchObject({ ready: 2, unacked: 0 });
    expect(await queue.message(offered)).toMatchObject({ state: 'ready' });
    expect(await queue.deadLetters.edit(offered, { payload: 'other' })).toBe(false);
    expect(await queue.remove(offered)).toBe(true);
    expect(await queue.deadLetters.purge()).toBe(1);
    expect(await queue.counts()).toMatchObject({ ready: 0, unacked: 0 });
    // and so can one that is offered when all are
    await redis.zadd('idle', 0, '500.00000001.dead');
    await broker.sendToQueue('q', 3);
    expect(await redis.zcard('offered')).toBe(1);
    expect(await queue.deadLetters.purge()).toBe(1);
    expect(await queue.counts()).toMatchObject({ ready: 0, unacked: 0 });
    expect(await redis.exists('offered', 'messages')).toBe(0);
    await close();
  });

  it('is handled by another soon after that consumer was killed, and nothing else that is delayed is', async () => {
    // given: a process that blocks, freezes, and is offered a message
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'q' });
    await broker.sendToQueue('q', 'later', { delayMs: 3_600_000 });
    const victim = await spawnConsumer(server, prefix, 'q', { leaseMs: 3_600_000 });
    const redis = server.client({ keyPrefix: `${prefix}:{queue:q}:` });
    for (;;) {
      await waitFor(async () => (await redis.zcard('idle')) === 1 && (await isBlocked(server)), {
        what: 'it to block',
      });
      await victim.freeze();
      await broker.sendToQueue('q', 'm');
      // Else it had just stopped to block when it froze: once more.
      if ((await redis.zcard('offered')) === 1 && (await redis.llen('wake')) === 0) break;
      victim.thaw();
      await waitFor(async () => (await redis.hlen('messages')) === 1, { what: 'it to handle this one' });
    }
    // Nothing but the death can bring it back.
    await redis.hset('state', { recall: 1, 'recall-at': (Math.floor(Date.now() / 1000) + 3600) * 1000 });
    const seen: unknown[] = [];
    await broker.consumer({ queue: 'q', leaseMs: 3_600_000, handler: (payload) => void seen.push(payload) }).start();
    // when
    await victim.kill();
    // then
    await waitFor(async () => (await redis.zcard('consumers')) === 1, { what: 'the death to be noticed' });
    await waitFor(() => seen.length === 1, { what: 'another to handle it' });
    expect(seen).toEqual(['m']);
    expect(await redis.zcard('offered')).toBe(0);
    expect((await broker.queue('q').delayed()).messages.map((message) => message.payload())).toEqual(['later']);
    await close();
  });

  it('is not begun when it comes so late that others may have it', async () => {
    // given: a consumer that waits
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'q' });
    const seen: unknown[] = [];
    const consumer = broker.consumer({ queue: 'q', handler: (payload) => void seen.push(payload) });
    await consumer.start();
    const redis = server.client({ keyPrefix: `${prefix}:{queue:q}:` });
    await waitFor(async () => (await redis.zcard('idle')) === 1, { what: 'it to wait' });
    // when: a wake-up of eight seconds ago arrives, then a message of now
    const [seconds] = await redis.time();
    const head = `${consumer.status.consumer}\n${Number(seconds) * 1000 - 8000}\n1000\nold\n`;
    // It can be read: "1", as JSON.
    const frame = Buffer.from([2, 0, 1, 0, 0, 0x31]);
    await redis.rpush('wake', Buffer.concat([Buffer.from(head), frame]));
    await broker.sendToQueue('q', 'new');
    // then
    await waitFor(() => seen.length === 1, { what: 'the new one' });
    expect(seen).toEqual(['new']);
    await close();
  });

  it('aborts the signal of a handler that holds it no longer', async () => {
    // given: a message that is offered, and not claimed in time
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'q' });
    let reason: unknown;
    let end = (): void => undefined;
    const consumer = broker.consumer({
      queue: 'q',
      handler: (_, { signal }) => {
        signal.addEventListener('abort', () => {
          reason = signal.reason;
        });
        return new Promise<void>((resolve) => {
          end = resolve;
        });
      },
    });
    await consumer.start();
    const redis = server.client({ keyPrefix: `${prefix}:{queue:q}:` });
    await waitFor(async () => (await redis.zcard('idle')) === 1, { what: 'it to wait' });
    const [seconds] = await redis.time();
    // when: it is offered a message that is not there to be claimed
    const frame = Buffer.from([2, 0, 1, 0, 0, 0x31]);
    const head = `${consumer.status.consumer}\n${Number(seconds) * 1000}\n1000\nelsewhere\n`;
    await redis.rpush('wake', Buffer.concat([Buffer.from(head), frame]));
    // then
    await waitFor(() => reason, { what: "the handler's signal" });
    expect(reason).toMatchObject({ name: 'LeaseLostError' });
    expect(consumer.status.held).toBe(0);
    end();
    await close();
  });
});

/** Whether a consumer waits at a wake list. */
async function isBlocked(server: RedisServer): Promise<boolean> {
  return /flags=b.*cmd=blpop/.test(String(await server.client().client('LIST')));
}
