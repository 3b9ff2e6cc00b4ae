import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DamagedStateError, Drop, TopologyNotFoundError } from '@millrace/core';
import { Log } from '@millrace/log';
import { Broker, type MessageContext, type QueueDeclaration, Requeue } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';

const slot = 'millrace:{queue:q}:settings';
const topology = 'millrace:{topology}:';
const declaration: QueueDeclaration = { name: 'q', priorities: 2 };

describe('what is declared is checked when it comes out of Redis', () => {
  let server: RedisServer;
  let connection: RedisConnection;
  let broker: Broker;
  const reported: unknown[] = [];
  beforeAll(async () => {
    server = await startRedis();
    connection = await new RedisConnection(server.connection).open();
    broker = new Broker(connection);
    broker.events.on('background-error', ({ error }) => reported.push(error));
  });
  afterAll(async () => {
    await broker.close();
    connection.close();
    await stopEverything();
  });

  const redis = () => server.client();
  const commands = async () => Number(/total_commands_processed:(\d+)/.exec(await redis().info('stats'))?.[1]);
  const handledBy = async (options: { queue: string }) => {
    const handled: unknown[] = [];
    const consumer = broker.consumer({ ...options, handler: (value) => void handled.push(value) });
    await consumer.start();
    await waitFor(() => handled.length > 0, { what: 'a message' });
    await consumer.stop();
    return handled;
  };

  it.each([
    ['too many priorities', '{"name":"q","priorities":3000000}', /priorities must be a whole number from 1 to 10/],
    ['too many shards', '{"name":"q","shards":100000}', /shards must be a whole number from 1 to 64/],
    ['null', 'null', /it must be an object, got null/],
    ['no JSON', '{', /it must be JSON, got "\{"/],
    ['another name', '{"name":"other"}', /it is called "other"/],
  ])(
    '%s in the slot of a queue: consumers and operators get an error, and declaring it repairs it',
    async (_, json, problem) => {
      // given
      await broker.declareQueue(declaration);
      await broker.sendToQueue('q', 1);
      await redis().hset(slot, 'settings', json);
      // when
      const consumer = broker.consumer({ queue: 'q', handler: () => undefined });
      const errors = await Promise.all(
        [consumer.start(), broker.queue('q').counts()].map((done) => done.catch(Object)),
      );
      // then
      for (const error of errors) {
        expect(error).toBeInstanceOf(DamagedStateError);
        expect(String(error)).toMatch(problem);
        expect(String(error)).toMatch(/queue "q".*millrace:\{queue:q\}:settings.*declareQueue/);
      }
      expect(await redis().zcard('millrace:{queue:q}:consumers')).toBe(0);
      await broker.declareQueue(declaration);
      expect(await handledBy({ queue: 'q' })).toEqual([1]);
    },
  );

  it('every publish to a queue with a damaged declaration fails, and those to others arrive', async () => {
    // given
    await broker.declare({
      exchanges: [{ name: 'all', type: 'fanout' }],
      queues: [declaration, { name: 'sound' }],
      bindings: [{ exchange: 'all', queue: 'q' }],
    });
    await redis().hset(`${topology}queues`, 'q', '{"name":"q","priorities":3000000}');
    const fresh = new Broker(connection);
    // when, then
    await fresh.sendToQueue('sound', 2);
    await expect(fresh.sendToQueue('q', 1)).rejects.toThrow(DamagedStateError);
    await expect(fresh.publish('all', 'key', 1)).rejects.toThrow(/queue "q".*priorities.*declareQueue/);
    await expect(fresh.queue('q').counts()).rejects.toThrow(DamagedStateError);
    await fresh.declareQueue(declaration);
    await fresh.publish('all', 'key', 3);
    expect(await handledBy({ queue: 'q' })).toEqual([3]);
    await fresh.close();
  });

  it.each([
    ['', /it must be JSON/],
    ['{', /it must be JSON/],
    ['null', /it must be an object, got null/],
    ['{"name":"other","type":"fanout"}', /it is called "other"/],
  ])('a row %s of a queue or an exchange fails every publish, under its name', async (row, problem) => {
    // given
    const [exchange, bound] = [{ name: 'row', type: 'fanout' } as const, { exchange: 'row', queue: 'row' }];
    const definition = { exchanges: [exchange], queues: [{ name: 'row' }], bindings: [bound] };
    await broker.declare(definition);
    await redis().hset(`${topology}queues`, 'row', row);
    await redis().hset(`${topology}exchanges`, 'row', row);
    await redis().hset(`${topology}meta`, 'version', Date.now());
    // when
    const fresh = new Broker(connection);
    const uses = [fresh.sendToQueue('row', 1), fresh.publish('', 'row', 1), fresh.publish('row', 'key', 1)];
    const errors = await Promise.all(uses.map((use) => use.then(() => 'sent', Object)));
    // then
    for (const [index, error] of errors.entries()) {
      expect(error).toBeInstanceOf(DamagedStateError);
      expect(error).toMatchObject({ object: index === 2 ? 'exchange "row"' : 'queue "row"' });
      expect(String(error)).toMatch(problem);
    }
    await fresh.declare(definition);
    await fresh.publish('row', 'key', 2);
    expect(await handledBy({ queue: 'row' })).toEqual([2]);
    await fresh.close();
  });

  it('a revision beyond all dates keeps no queue from being declared and deleted', async () => {
    // given
    const key = 'millrace:{queue:r}:settings';
    await broker.declareQueue({ name: 'r' });
    await redis().hset(key, 'revision', 99_999_999_999_999);
    // when
    await broker.declareQueue({ name: 'r', maxLength: 5 }, { onChange: 'apply' });
    // then
    expect(await redis().hmget(key, 'max-length', 'revision')).toEqual(['5', expect.stringMatching(/^\d{13}$/)]);
    await redis().hset(key, 'revision', 99_999_999_999_999);
    expect(await broker.deleteQueue('r')).toBe(true);
  });

  it('a topology version beyond all dates is a date again with the next change, and every process follows', async () => {
    // given
    await broker.declareQueue({ name: 'v' });
    const other = new Broker(connection);
    await redis().hset(`${topology}meta`, 'version', 99_999_999_999_999);
    await other.sendToQueue('v', 1);
    // when
    await broker.declareQueue({ name: 'next' });
    // then
    expect(await redis().hget(`${topology}meta`, 'version')).toMatch(/^\d{13}$/);
    for (const each of [broker, other]) for (const name of ['v', 'next']) await each.sendToQueue(name, 2);
    expect(await broker.deleteQueue('next')).toBe(true);
    await expect(other.sendToQueue('next', 3)).rejects.toThrow(TopologyNotFoundError);
    await other.close();
  });

  it('damaged limits of a queue lose nothing: they count as not set, and declaring it repairs them', async () => {
    // given: limits that would drop all, and numbers that no script can count with
    const limited: QueueDeclaration = { name: 'l', maxLength: 1, maxBytes: 5000, overflow: 'reject-publish' };
    await broker.declareQueue(limited);
    const fields = await redis().hgetall('millrace:{queue:l}:settings');
    const damage = {
      ...{ 'max-length': '-1', 'max-bytes': '-1', overflow: 'drop-head', 'message-ttl': '-1', 'delivery-limit': 'x' },
      ...{ 'dedup-window': '1e300', 'max-per-second': '-5', 'keep-completed': 'x', 'idle-expiry': '-1' },
      ...{ exclusive: 'x', 'single-active': 'x' },
    };
    await redis().hset('millrace:{queue:l}:settings', damage);
    // when
    const receipts = await Promise.all([1, 2].map((n) => broker.sendToQueue('l', n, { messageId: `m${n}` })));
    const handled: unknown[] = [];
    const handler = (value: unknown, context: MessageContext) => {
      handled.push(value);
      if (context.deliveryCount === 0) throw new Requeue();
    };
    const consumer = broker.consumer({ queue: 'l', handler });
    await consumer.start();
    // then
    await waitFor(() => handled.length === 4, { what: 'each message twice' });
    await consumer.stop();
    expect(receipts.flatMap(({ refused }) => refused)).toEqual([]);
    expect(await broker.deleteQueue('l', { ifIdle: true })).toBe(false);
    await broker.declareQueue(limited);
    const repaired = await redis().hgetall('millrace:{queue:l}:settings');
    expect({ ...repaired, revision: '' }).toEqual({ ...fields, revision: '' });
    await broker.sendToQueue('l', 3);
    expect((await broker.sendToQueue('l', 4)).refused).toMatchObject([{ isDeadLettered: false }]);
  });

  it('counters and times of a queue that are none stop no message, and none half-way', async () => {
    // given
    await broker.declareQueue({ name: 'c', priorities: 2, maxBytes: 5000, rate: { limit: 1000, intervalMs: 1000 } });
    const numbers = 'acknowledged delivered retried dropped expired bytes stale taken offers registrations';
    const times = 'recall recall-at duty-at tokens tokens-at passed-at keeper-due ended used-at';
    const damage = Object.fromEntries(`${numbers} ${times}`.split(' ').map((field) => [field, 'x']));
    await redis().hset('millrace:{queue:c}:state', damage);
    // when
    for (const value of ['twice', 'dropped', 'third']) await broker.sendToQueue('c', value);
    const handled: unknown[] = [];
    const handler = (value: unknown, context: MessageContext) => {
      handled.push(value);
      if (value === 'dropped') throw new Drop('unwanted');
      if (value === 'twice' && context.deliveryCount === 0) throw new Requeue();
    };
    await redis().hset('millrace:{queue:c}:counts', { junk: 'x' });
    const consumer = broker.consumer({ queue: 'c', handler });
    await consumer.start();
    await waitFor(() => handled.length === 4, { what: 'all of them' });
    await redis().hset('millrace:{queue:c}:state', damage);
    await broker.sendToQueue('c', 'offered');
    // then
    await waitFor(() => handled.length === 5, { what: 'the one that came while it waited' });
    await consumer.stop();
    expect(await broker.queue('c').counts()).toMatchObject({ ready: 0, unacked: 0, delayed: 0, dying: 0 });
  });

  it('a full queue with an unknown overflow refuses what comes: its publisher still has it', async () => {
    // given
    await broker.declareQueue({ name: 'o', maxLength: 1 });
    await redis().hset('millrace:{queue:o}:settings', 'overflow', 'x');
    // when
    await broker.sendToQueue('o', 1);
    const { refused } = await broker.sendToQueue('o', 2);
    // then
    expect(refused).toMatchObject([{ queue: 'o', isDeadLettered: false }]);
    expect(await handledBy({ queue: 'o' })).toEqual([1]);
  });

  it.each(['x', '-7', '9'.repeat(400)])('a count of changes "%s" leaves none half-written', async (logged) => {
    // given
    await redis().hset(`${topology}meta`, 'logged', logged);
    // when
    await broker.declareQueue({ name: 'counted' });
    // then
    expect(await redis().hget(`${topology}meta`, 'logged')).toMatch(/^\d{1,4}$/);
    await broker.sendToQueue('counted', 1);
    expect(await broker.deleteQueue('counted')).toBe(true);
  });

  it.each(['changes', 'bindings'])(
    'a key of another type in the place of %s leaves no change half-written',
    async (name) => {
      // given
      await broker.declare({ exchanges: [{ name: 'half', type: 'fanout' }], queues: [{ name: 'half' }] });
      await redis().multi().rename(`${topology}${name}`, 'aside').set(`${topology}${name}`, 'else').exec();
      // when
      const before = await redis().hgetall(`${topology}meta`);
      const declaring = broker.declare({ queues: [{ name: 'never' }] });
      // then
      await expect(declaring).rejects.toThrow(DamagedStateError);
      expect(await redis().hget(`${topology}queues`, 'never')).toBeNull();
      expect(await redis().hgetall(`${topology}meta`)).toEqual(before);
      await redis().rename('aside', `${topology}${name}`);
    },
  );

  it.each(['abc', '1.5', '007', '99999999999999999999', '-3', ''])(
    'a topology version "%s" is replaced, and no process spins',
    async (version) => {
      // given
      await broker.declareQueue({ name: 'v' });
      await broker.sendToQueue('v', 0);
      await redis().hset(`${topology}meta`, 'version', version);
      const before = await commands();
      // when
      await Promise.all([1, 2, 3].map((value) => broker.sendToQueue('v', value)));
      // then
      expect((await commands()) - before).toBeLessThan(60);
      expect(await redis().hget(`${topology}meta`, 'version')).toMatch(/^\d{13}$/);
      expect(reported.some((error) => error instanceof DamagedStateError)).toBe(true);
    },
  );

  it.each([
    [
      'too many partitions',
      '{"id":1,"version":1,"name":"t","partitions":2000000000}',
      /partitions must be a whole number/,
    ],
    ['null', 'null', /it must be an object, got null/],
    ['no id', '{"version":1,"name":"t"}', /id is missing/],
    ['no JSON', '{', /it must be JSON/],
  ])(
    '%s of a topic: producers, consumers and operators get an error, and declaring it repairs it',
    async (_, json, problem) => {
      // given
      const log = new Log(connection);
      await log.declareTopic({ name: 't', partitions: 2 });
      const { offset } = await log.producer().send({ topic: 't', partition: 0, value: 1 });
      await redis().hset(`${topology}topics`, 't', json);
      const fresh = new Log(connection);
      // when
      const uses = [
        fresh.producer().send({ topic: 't', value: 2 }),
        fresh.describeTopic('t'),
        fresh.declareTopic({ name: 'u' }),
      ];
      const [sent, described] = await Promise.all(uses.map((use: Promise<unknown>) => use.catch(Object)));
      // then
      for (const error of [sent, described]) {
        expect(error).toBeInstanceOf(DamagedStateError);
        expect(String(error)).toMatch(problem);
        expect(String(error)).toMatch(/topic "t".*field "t".*declareTopic/);
      }
      await fresh.declareTopic({ name: 't', partitions: 2 });
      expect((await fresh.producer().send({ topic: 't', partition: 0, value: 3 })).offset).toBe(offset + 1);
      await Promise.all([log.close(), fresh.close()]);
    },
  );

  it.each([
    ['a plan that gives partitions to no member', { plan: '{"topics":{"g":[1,0,1]},"members":{},"assignment":{}}' }],
    ['a generation that is no number', { generation: '007' }],
    ['a version that is no number', { version: 'abc' }],
    ['a generation beyond all numbers', { generation: '9223372036854775807' }],
  ])('%s stops no member of a group, and none spins', async (_, state) => {
    // given
    const log = new Log(connection);
    await log.declareTopic({ name: 'g' });
    await redis().hset('millrace:{group:g}:state', { generation: 3, version: 5, ...state });
    await redis().hset('millrace:{group:g}:subscriptions', 'ghost', 'x {"kind":"topics","topics":["g"]}');
    const before = await commands();
    // when
    const handled: unknown[] = [];
    await log.consumer({ group: 'g', topics: 'g', handler: (value) => void handled.push(value) }).start();
    await log.producer().send({ topic: 'g', value: 1 });
    // then
    await waitFor(() => handled.length === 1, { what: 'the record' });
    expect((await commands()) - before).toBeLessThan(150);
    await log.close();
  });

  it('a key of another type is named, with what to do', async () => {
    // given
    await broker.declareQueue({ name: 'typed' });
    await redis().set('millrace:{queue:typed}:messages', 'no hash');
    // when, then
    await expect(broker.sendToQueue('typed', 1)).rejects.toThrow(/\{queue:typed\}:\*.*WRONGTYPE.*must be removed/s);
    await redis().del('millrace:{queue:typed}:messages');
    await broker.sendToQueue('typed', 4);
    expect(await handledBy({ queue: 'typed' })).toEqual([4]);
  });
});
