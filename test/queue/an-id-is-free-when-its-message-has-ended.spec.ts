import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

const ids = ['order-1', 'batch~~7', 'invoice~~1', '~~', 'a:b', 'zwei\nZeilen', 'grün 🌱', `${'x'.repeat(255)}`];

describe('the id of a message', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  /** A queue without consumers, and what is handled once `consume` is called. */
  async function queueOf(settings: object = {}) {
    const opened = await openBroker(server, ownPrefix());
    const { broker } = opened;
    await broker.declareQueue({ name: 'q', ...settings });
    const handled: unknown[] = [];
    const consume = async () => {
      const consumer = broker.consumer({
        queue: 'q',
        prefetch: 1,
        retry: false,
        handler: (payload, { messageId }) => {
          handled.push([messageId, payload]);
          if (payload === 'bad') throw new Error('on purpose');
        },
      });
      await consumer.start();
      return consumer;
    };
    const send = (payload: unknown, messageId: string, more: object = {}) =>
      broker.sendToQueue('q', payload, { messageId, ...more });
    return { ...opened, queue: broker.queue('q'), handled, consume, send };
  }

  it.each(ids)('is the publisher’s own, to the byte: %j', async (id) => {
    // given
    const { connection, queue, handled, consume, send, close } = await queueOf();
    await send('first', id);
    // then: it is found, and known as a repetition
    expect((await queue.message(id))?.message?.messageId).toBe(id);
    expect((await send('again', id)).duplicates).toEqual(['q']);
    // when it was cancelled and comes again
    expect(await queue.cancel(id)).toBe('cancelled');
    expect(await server.client().hlen(`${connection.prefix}:{queue:q}:ids`)).toBe(0);
    expect((await send('second', id)).duplicates).toEqual([]);
    // then it is delivered, once
    await send('last', 'last');
    await consume();
    await waitFor(() => handled.length === 2, { what: 'both to be handled' });
    expect(handled).toEqual([
      [id, 'second'],
      ['last', 'last'],
    ]);
    await close();
  });

  it('is free after its message expired or was purged or given up, and remembered after it was handled', async () => {
    // given
    const { broker, queue, handled, consume, send, close } = await queueOf();
    const dead = broker.queue('q.dead-letters');
    await send('expires', 'e', { expirationMs: 1 });
    await send('is removed', 'r');
    await waitFor(async () => (await queue.counts()).ready === 1, { what: 'one to expire' });
    expect(await queue.remove('r')).toBe(true);
    // when they come again, with one that is given up
    for (const id of ['e', 'r']) expect((await send(id, id)).duplicates).toEqual([]);
    await send('bad', 'b');
    const consumer = await consume();
    await waitFor(async () => (await dead.counts()).ready === 1, { what: 'one to be given up' });
    await waitFor(async () => (await queue.message('b'))?.state === 'dead-lettered', {
      what: 'it to be forgotten where it died',
    });
    // then
    expect((await send('better', 'b')).duplicates).toEqual([]);
    await waitFor(() => handled.length === 4, { what: 'all to be handled' });
    expect(handled).toEqual([
      ['e', 'e'],
      ['r', 'r'],
      ['b', 'bad'],
      ['b', 'better'],
    ]);
    await consumer.stop();
    for (const id of ['e', 'r', 'b']) expect((await send('again', id)).duplicates).toEqual(['q']);
    await close();
  });

  it('stays with its dead letter, which is found by it', async () => {
    // given
    const { broker, handled, consume, send, close } = await queueOf();
    for (const id of ids) await send('bad', id);
    await consume();
    const dead = broker.queue('q.dead-letters');
    await waitFor(async () => (await dead.counts()).ready === ids.length, { what: 'all to be given up' });
    // then
    const { messages } = await dead.deadLetters.list();
    expect(messages.map(({ messageId }) => messageId).sort()).toEqual([...ids].sort());
    for (const id of ids) expect((await dead.message(id))?.message?.deaths[0]).toMatchObject({ queue: 'q' });
    // when one is sent back by its id
    expect(await dead.deadLetters.redrive({ ids: ['batch~~7'] })).toMatchObject({ redriven: 1 });
    await waitFor(() => handled.length === ids.length + 1, { what: 'it to be handled again' });
    expect(handled.at(-1)).toEqual(['batch~~7', 'bad']);
    await close();
  });

  it('stays with the second of two that were sent back, when the first has ended', async () => {
    // given: two that died one after the other
    const { broker, queue, consume, send, close } = await queueOf();
    const dead = broker.queue('q.dead-letters');
    const consumer = await consume();
    for (const count of [1, 2]) {
      await send('bad', 'twin');
      await waitFor(async () => (await dead.counts()).ready === count, { what: 'it to be given up' });
      await waitFor(async () => (await queue.message('twin'))?.state === 'dead-lettered', { what: 'it to arrive' });
    }
    await consumer.stop();
    expect((await dead.deadLetters.redrive()).redriven).toBe(2);
    // when
    expect(await queue.cancel('twin')).toBe('cancelled');
    // then
    expect((await queue.message('twin'))?.message?.payload()).toBe('bad');
    expect((await send('another', 'twin')).duplicates).toEqual(['q']);
    expect(await queue.cancel('twin')).toBe('cancelled');
    expect(await queue.message('twin')).toBeUndefined();
    expect((await send('another', 'twin')).duplicates).toEqual([]);
    await close();
  });

  it('is that of one alone, also where it is what another is called', async () => {
    // given: one without an id, and one with
    const { broker, queue, send, close } = await queueOf();
    const { messageId: plain } = await broker.sendToQueue('q', 'plain');
    await send('named', 'n');
    const named = (await queue.ready()).messages.find((message) => message.messageId === 'n')?.id ?? '';
    // then: the first is known by what it is called, the second only by its id
    expect((await send('again', plain)).duplicates).toEqual(['q']);
    expect((await send('other', named)).duplicates).toEqual([]);
    expect((await queue.message(named))?.message?.payload()).toBe('named');
    await close();
  });
});
