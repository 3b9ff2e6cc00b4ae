import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DamagedStateError } from '@millrace/core';
import { Log } from '@millrace/log';
import { Broker, type QueueDeclaration } from '@millrace/queue';
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
    ['too many shards', '{"name":"q","shards":100000}', /shards must be a whole number from 2 to 64/],
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
