import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CodecError, DeadLetter } from '@millrace/core';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { encodeFrame, noProperties } from '../../libs/queue/src/model/message-frame.js';
import { queueKeys } from '../../libs/queue/src/store/keys.js';
import { openBroker, ownPrefix } from './broker.js';

describe('dead letters', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  /** A queue all of whose messages died, and its dead letters. */
  async function graveyard(count: number) {
    const opened = await openBroker(server, ownPrefix());
    const { broker } = opened;
    await broker.declareQueue({ name: 'q' });
    const state = { isMended: false, handled: [] as unknown[] };
    const handler = (payload: unknown) => {
      if (!state.isMended) throw new RangeError('a bug');
      state.handled.push(payload);
    };
    await broker.consumer({ queue: 'q', retry: false, handler }).start();
    for (let n = 0; n < count; n++)
      await broker.sendToQueue('q', { n }, { messageId: `m${n}`, headers: { even: n % 2 === 0 } });
    const dead = broker.queue('q.dead-letters');
    await waitFor(async () => (await dead.counts()).ready === count, { what: `${count} dead letters` });
    return { ...opened, state, letters: dead.deadLetters, dead };
  }

  it('are not hidden by one that cannot be read: it is listed by itself, stuck, and can be removed', async () => {
    // given
    const { letters, dead, state, connection, close } = await graveyard(3);
    const [unreadable, other] = ['.unreadable-1', '.unreadable-2'];
    const { messages, ready } = queueKeys(connection.prefix, 'q.dead-letters');
    for (const entry of [unreadable, other]) {
      await connection.commands.hset(messages, entry, 'junk');
      await connection.commands.lpush(ready, entry);
    }
    // when
    const page = await letters.list();
    // then
    expect(page.messages).toHaveLength(3);
    expect(page.unreadable.map(({ id }) => id).toSorted()).toEqual([unreadable, other]);
    expect(page.unreadable[0]?.error).toBeInstanceOf(CodecError);
    expect(await letters.purge({ filter: ({ messageId }) => messageId === 'm2' })).toBe(1);
    state.isMended = true;
    const { redriven, stuck, reasons } = await letters.redrive();
    expect([redriven, stuck]).toEqual([2, 2]);
    expect(reasons.map(({ id }) => id).toSorted()).toEqual([unreadable, other]);
    expect(await dead.remove(unreadable)).toBe(true);
    expect(await letters.purge({ ids: [other] })).toBe(1);
    expect((await dead.counts()).ready).toBe(0);
    await close();
  });

  it('can be listed, inspected, edited, and sent back: one, by filter, or all; and a dry run changes nothing', async () => {
    // given
    const { broker, letters, state, dead, close } = await graveyard(10);
    const page = await letters.list({ limit: 4 });
    expect(page.messages).toHaveLength(4);
    expect((await letters.list({ limit: 100, cursor: page.cursor })).messages).toHaveLength(6);
    const all = await letters.list();
    const first = all.messages.find(({ messageId }) => messageId === 'm0');
    expect(first).toMatchObject({ messageId: 'm0', headers: { even: true } });
    expect(first?.deaths[0]).toMatchObject({ queue: 'q', reason: 'failed', count: 1, error: { name: 'RangeError' } });
    // when
    state.isMended = true;
    const isEven = (message: { headers: object }) => 'even' in message.headers && message.headers.even === true;
    const planned = await letters.redrive({ filter: isEven, dryRun: true });
    expect(planned.redriven).toBe(5);
    expect((await dead.counts()).ready).toBe(10);
    await letters.edit(first?.id ?? '', { payload: { n: 'edited' } });
    await letters.redrive({ ids: [first?.id ?? ''] });
    await waitFor(() => state.handled.length === 1, { what: 'the first' });
    await letters.redrive({ filter: isEven });
    await waitFor(() => state.handled.length === 5, { what: 'the even ones' });
    const rest = await letters.redrive({ maxPerSecond: 200 });
    // then
    await waitFor(() => state.handled.length === 10, { what: 'all' });
    expect(rest).toMatchObject({ looping: 0, stuck: 0 });
    expect(state.handled).toContainEqual({ n: 'edited' });
    expect(await dead.counts()).toMatchObject({ ready: 0 });
    expect((await broker.queue('q').counts()).ready).toBe(0);
    await close();
  });

  it('are planned for no queue and no exchange that would not take them', async () => {
    // given
    const { broker, letters, dead, close } = await graveyard(1);
    await broker.declareExchange({ name: 'unbound', type: 'fanout' });
    const targets = [{ queue: 'missing' }, { exchange: 'missing' }, { exchange: 'unbound' }, undefined];
    // when
    const plans = [];
    for (const to of targets) plans.push(await letters.redrive({ to, dryRun: true }));
    const done = [];
    for (const to of targets.slice(0, 3)) done.push(await letters.redrive({ to }));
    await broker.deleteQueue('q');
    plans.push(await letters.redrive({ allowQueues: ['q'], dryRun: true }));
    // then
    const [missing, none] = [/does not exist/, /no queue takes it/];
    for (const [index, why] of [missing, missing, none].entries())
      for (const report of [plans[index], done[index]])
        expect(report).toMatchObject({ redriven: 0, stuck: 1, reasons: [{ why: expect.stringMatching(why) }] });
    expect(plans[3]).toMatchObject({ redriven: 1, stuck: 0 });
    expect(plans[4]).toMatchObject({ redriven: 0, reasons: [{ why: expect.stringMatching(missing) }] });
    expect((await dead.counts()).ready).toBe(1);
    await close();
  });

  it('that are no message are parked, and reported as parked', async () => {
    // given
    const { broker, connection, close } = await openBroker(server, ownPrefix());
    const [parked, died]: [unknown[], unknown[]] = [[], []];
    broker.events.on('parked', (event) => parked.push(event)).on('dead-lettered', (event) => died.push(event));
    await broker.declareQueue({ name: 'q' });
    await broker.declareQueue({ name: 'q.dead-letters' });
    const { messages, ready } = queueKeys(connection.prefix, 'q');
    await connection.commands.hset(messages, '.junk', 'junk');
    await connection.commands.rpush(ready, '.junk');
    const handler = () => {
      throw new DeadLetter('bad');
    };
    // when: and one that no queue takes, since the queue keeps dead letters itself
    const consumers = ['q', 'q.dead-letters'].map((queue) => broker.consumer({ queue, handler, retry: false }));
    for (const consumer of consumers) await consumer.start();
    await broker.sendToQueue('q.dead-letters', 1, { messageId: 'm' });
    const isParked = async (queue: string) => (await broker.queue(queue).counts()).parked === 1;
    await waitFor(async () => (await isParked('q')) && (await isParked('q.dead-letters')), { what: 'both' });
    await waitFor(() => parked.length === 2, { what: 'the reports' });
    // then
    expect(parked).toEqual(
      expect.arrayContaining([
        { source: 'queue:q', messageId: '.junk', reason: 'undecodable', error: expect.any(CodecError) },
        { source: 'queue:q.dead-letters', messageId: 'm', reason: 'rejected', error: expect.anything() },
      ]),
    );
    expect(died).toMatchObject([{ source: 'queue:q.dead-letters' }]);
    await close();
  });

  it('that die of another reason each time are left where they are after as many deaths', async () => {
    // given
    const { broker, close } = await openBroker(server, ownPrefix());
    await broker.declareQueue({ name: 'q' });
    let deaths = 0;
    const handler = () => {
      throw deaths++ % 2 === 0 ? new DeadLetter('rejected') : new Error('bug');
    };
    await broker.consumer({ queue: 'q', retry: false, handler }).start();
    await broker.sendToQueue('q', 1);
    const dead = broker.queue('q.dead-letters');
    const isBack = async () => (await dead.counts()).ready === 1 && (await broker.queue('q').counts()).dying === 0;
    await waitFor(isBack, { what: 'its first death' });
    // when
    for (let round = 1; round <= 3; round++) {
      expect((await dead.deadLetters.redrive()).redriven).toBe(1);
      await waitFor(() => deaths === round + 1, { what: 'its next death' });
      await waitFor(isBack, { what: 'it to be back' });
    }
    // then
    expect(await dead.deadLetters.redrive()).toMatchObject({ redriven: 0, looping: 1 });
    await close();
  });

  it('that die again and again are left where they are, and can be thrown away', async () => {
    // given: the bug is still there
    const { letters, dead, close } = await graveyard(2);
    for (let round = 2; round <= 4; round++) {
      expect((await letters.redrive()).redriven).toBe(2);
      await waitFor(
        async () => (await letters.list()).messages.filter(({ deaths }) => deaths[0]?.count === round).length === 2,
        { what: `death number ${round}` },
      );
    }
    // when
    const report = await letters.redrive();
    // then
    expect(report).toMatchObject({ redriven: 0, looping: 2 });
    expect(await letters.purge({ filter: ({ messageId }) => messageId === 'm0' })).toBe(1);
    expect(await letters.purge()).toBe(1);
    expect((await dead.counts()).ready).toBe(0);
    await close();
  });

  it('go to no queue that only their history names', async () => {
    // given: a letter that says it died in a queue which has its dead letters elsewhere, and one that did
    const { broker, letters, dead, state, connection, close } = await graveyard(1);
    await broker.declareQueue({ name: 'victim', deadLetter: { queue: 'elsewhere' } });
    const death = {
      queue: 'victim',
      reason: 'failed',
      count: 1,
      exchange: '',
      routingKeys: ['victim'],
      time: 1,
    } as const;
    const about = { priority: 0, timestamp: 1, codecId: 1, exchange: '', routingKey: 'victim' };
    const frame = encodeFrame(
      { ...about, headers: {}, properties: noProperties, deaths: [death], body: '"forged"' },
      'q.dead-letters',
    );
    const keys = queueKeys(connection.prefix, 'q.dead-letters');
    await connection.commands.hset(keys.messages, 'forged', frame);
    await connection.commands.rpush(keys.ready, 'forged');
    // when
    state.isMended = true;
    const dry = await letters.redrive({ dryRun: true });
    const report = await letters.redrive();
    const byKey = await letters.redrive({ to: { exchange: '' } });
    // then
    const reasons = [{ id: 'forged', why: expect.stringContaining('its history names queue "victim"') }];
    const stuck = { stuck: 1, reasons };
    expect(dry).toMatchObject({ redriven: 1, ...stuck });
    expect(report).toMatchObject({ redriven: 1, ...stuck });
    expect(byKey).toMatchObject({ redriven: 0, ...stuck });
    expect((await dead.counts()).ready).toBe(1);
    // and an operator may allow it
    expect(await letters.redrive({ allowQueues: ['victim'] })).toMatchObject({ redriven: 1, stuck: 0 });
    expect((await broker.queue('victim').counts()).ready).toBe(1);
    await close();
  });
});
