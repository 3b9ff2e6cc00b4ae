import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { MessageContext, QueueDeclaration } from '@millrace/queue';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

describe('a dead letter is found by its id', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  /** Queues, of which all messages die in those that are named. Each gets one, with an id of its own, and a copy of one that all get. */
  async function dying(names: readonly string[], queues: readonly QueueDeclaration[]) {
    const opened = await openBroker(server, ownPrefix());
    const { broker } = opened;
    await broker.declare({
      exchanges: [
        { name: 'all', type: 'fanout' },
        { name: 'dlx', type: 'headers' },
      ],
      queues,
    });
    for (const queue of names) await broker.bind({ exchange: 'all', queue });
    const handler = () => {
      throw new Error('on purpose');
    };
    const ids: string[] = [];
    for (const queue of names) ids.push((await broker.sendToQueue(queue, queue)).messageId);
    await broker.publish('all', '', 'a copy', { messageId: 'm' });
    for (const queue of names) await broker.consumer({ queue, retry: false, handler }).start();
    const isDone = async (name: string) => {
      const { ready, unacked, dying } = await broker.queue(name).counts();
      return ready + unacked + dying === 0;
    };
    const areDone = async () => (await Promise.all(names.map(isDone))).every((done) => done);
    await waitFor(areDone, { what: 'all to have died' });
    return { ...opened, ids };
  }

  it('in the queue that is made for it, and not in its own any more', async () => {
    // given, when
    const { broker, ids, close } = await dying(['q'], [{ name: 'q' }]);
    const queue = broker.queue('q');
    // then
    const found = await queue.message('m');
    expect(found).toMatchObject({ state: 'dead-lettered', queue: 'q.dead-letters', attempt: 0, consumer: undefined });
    expect(found?.message?.payload()).toBe('a copy');
    expect(found?.message?.deaths[0]).toMatchObject({ queue: 'q', reason: 'failed' });
    expect((await queue.message(ids[0] ?? ''))?.message?.payload()).toBe('q');
    expect(await queue.message('another')).toBeUndefined();
    // and: what looks at one queue only sees what is there
    expect(await queue.deadLetters.get('m')).toBeUndefined();
    expect((await broker.queue('q.dead-letters').deadLetters.get('m'))?.messageId).toBe('m');
    expect(await queue.cancel('m')).toBe('not-found');
    await close();
  });

  it('in a sharded queue that several queues share, each its own', async () => {
    // given, when
    const deadLetter = { queue: 'dead' };
    const { broker, close } = await dying(
      ['a', 'b'],
      [
        { name: 'dead', shards: 3 },
        { name: 'a', deadLetter, shards: 2 },
        { name: 'b', deadLetter },
      ],
    );
    // then
    for (const name of ['a', 'b']) {
      const found = await broker.queue(name).message('m');
      expect(found).toMatchObject({ state: 'dead-lettered', queue: 'dead' });
      expect(found?.message?.deaths[0]?.queue).toBe(name);
    }
    await close();
  });

  it('behind an exchange, where it died again, until it has been handled or sent back', async () => {
    // given: an exchange that chooses by headers; where it leads, everything dies too
    const { broker, close } = await dying(
      ['q'],
      [
        { name: 'q', deadLetter: { exchange: 'dlx' } },
        { name: 'again', messageTtlMs: 1, deadLetter: { queue: 'last' } },
        { name: 'last' },
      ],
    );
    await broker.bind({ exchange: 'dlx', queue: 'again', arguments: { 'x-match': 'any', kind: 'mail' } });
    await broker.sendToQueue('q', 'a mail', { messageId: 'mail', headers: { kind: 'mail' } });
    // when
    const found = await waitFor(
      async () => {
        const state = await broker.queue('q').message('mail');
        return state?.queue === 'last' ? state : undefined;
      },
      { what: 'it to die twice' },
    );
    // then
    expect(found.message?.deaths.map(({ queue }) => queue)).toEqual(['again', 'q']);
    // when it is handled
    await broker.consumer({ queue: 'last', handler: () => undefined }).start();
    const isGone = async () => (await broker.queue('q').message('mail')) === undefined;
    await waitFor(isGone, { what: 'it to be handled' });
    await close();
  });

  it('if it is the last of all that had the id, also of those that were completed', async () => {
    // given
    const { broker, close } = await openBroker(server, ownPrefix());
    await broker.declareQueue({ name: 'q', keepCompleted: { count: 10 }, deduplicationWindowMs: 0 });
    const [queue, dead] = [broker.queue('q'), broker.queue('q.dead-letters')];
    const handler = (payload: unknown) => {
      if (String(payload).startsWith('dies')) throw new Error('on purpose');
    };
    await broker.consumer({ queue: 'q', retry: false, handler }).start();
    const send = async (payload: string) => {
      const { completed } = await queue.counts();
      const before = (await dead.counts()).ready;
      await broker.sendToQueue('q', payload, { messageId: 'm' });
      const hasEnded = async () => (await queue.counts()).completed + (await dead.counts()).ready > completed + before;
      await waitFor(hasEnded, { what: `${payload} to end` });
      return queue.message('m');
    };
    // when, then
    for (const payload of ['is handled', 'dies', 'is handled again', 'dies again']) {
      const state = payload.startsWith('dies') ? 'dead-lettered' : 'completed';
      const found = await send(payload);
      expect([found?.state, found?.message?.payload()]).toEqual([state, payload]);
    }
    expect(await dead.counts()).toMatchObject({ ready: 2 });
    await close();
  });

  it.each(['ready', 'completed'])(
    'or in its own queue, if it is sent back while it is looked for, and is %s',
    async (state) => {
      // given
      const { broker, connection, close } = await openBroker(server, ownPrefix());
      await broker.declareQueue({ name: 'q', keepCompleted: { count: 10 } });
      const [queue, dead] = [broker.queue('q'), broker.queue('q.dead-letters')];
      const handler = (_: unknown, { deaths }: MessageContext) => {
        if (deaths.length === 0) throw new Error('on purpose');
      };
      await broker.consumer({ queue: 'q', retry: false, handler }).start();
      await broker.sendToQueue('q', 1, { messageId: 'm' });
      await waitFor(async () => (await queue.message('m'))?.state === 'dead-lettered', { what: 'it to die' });
      if (state === 'ready') await queue.pause();
      // when: it goes when its queue was asked, and the dead letters were not
      const client = connection.commands;
      const sendCommand = client.sendCommand.bind(client);
      let redriven = 0;
      const sendBack = async (): Promise<void> => {
        redriven += (await dead.deadLetters.redrive()).redriven;
        if (state === 'completed')
          await waitFor(async () => (await queue.counts()).completed === 1, { what: 'it to be handled' });
      };
      client.sendCommand = (command: Parameters<typeof sendCommand>[0], stream?: never) => {
        if (command.name !== 'get') return sendCommand(command, stream);
        client.sendCommand = sendCommand;
        return sendBack().then(() => sendCommand(command, stream));
      };
      const found = await queue.message('m');
      // then
      expect(redriven).toBe(1);
      expect(found).toMatchObject({ state, queue: 'q' });
      await close();
    },
  );
});
