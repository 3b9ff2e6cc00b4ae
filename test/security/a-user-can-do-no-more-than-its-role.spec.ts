import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type AclRole, type AclScope, aclRoles, aclRules, Overview } from '@millrace/admin';
import { OptionsError, WriteError } from '@millrace/core';
import { Log } from '@millrace/log';
import { Broker } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { aclPassword, aclUsers, asSetting, knowsWaitaof } from './acl-users.js';

const users = { user: aclUsers.flatMap((user) => [...asSetting(user), '--user']).slice(0, -1) };
const mail = 'millrace:{queue:mail}';
const others: Record<string, readonly string[]> = {
  'a message in any number': ['HVALS', `${mail}:messages`],
  'all messages with their names': ['HGETALL', `${mail}:messages`],
  'a list': ['LRANGE', `${mail}:ready`, '0', '-1'],
  'a message read by its name': ['HGET', `${mail}:messages`, 'entry'],
  'a message taken out': ['LPOP', `${mail}:ready`],
  'the names of what is delayed': ['ZRANGE', `${mail}:delayed`, '0', '-1'],
  'the names of what is completed': ['ZRANGE', `${mail}:completed`, '0', '-1'],
  'the removal of a queue': ['UNLINK', `${mail}:messages`],
  'the removal of a queue by DEL': ['DEL', `${mail}:messages`],
  'a pause': ['HSET', `${mail}:settings`, 'paused', '1'],
  'a rate of nothing': ['HSET', `${mail}:settings`, 'max-per-second', '0'],
  'an end for the settings': ['PEXPIRE', `${mail}:settings`, '1'],
  'all keys': ['KEYS', '*'],
  'all keys, piece by piece': ['SCAN', '0'],
  'the settings of the server': ['CONFIG', 'GET', 'requirepass'],
  'the slow commands': ['SLOWLOG', 'GET'],
  'the commands of others': ['MONITOR'],
  'the users': ['ACL', 'LIST'],
  'everything gone': ['FLUSHALL'],
  'a declaration': ['HSET', 'millrace:{topology}:queues', 'mail', '{}'],
  'a reply read': ['XREAD', 'STREAMS', 'millrace:{reply:secret}:replies', '0'],
  'a reply removed': ['UNLINK', 'millrace:{reply:secret}:replies'],
  'replies removed by one that is sent': ['XADD', 'millrace:{reply:secret}:replies', 'MAXLEN', '0', '*', 'r', ''],
  'a reply sent': ['XADD', 'millrace:{reply:secret}:replies', 'NOMKSTREAM', '*', 'r', ''],
  'records read': ['XRANGE', 'millrace:{log:orders:0}:records', '-', '+'],
  'records appended': ['XADD', 'millrace:{log:orders:0}:records', '0-1', 'b', ''],
  'records removed by one that is appended': ['XADD', 'millrace:{log:orders:0}:records', 'MAXLEN', '0', '0-1', 'b', ''],
  'records removed': ['XTRIM', 'millrace:{log:orders:0}:records', 'MAXLEN', '0'],
  'a position moved': ['XGROUP', 'SETID', 'millrace:{log:orders:0}:records', 'g', '0-1'],
  'a member removed': ['ZREM', 'millrace:{group:g}:members', 'm'],
  'a consumer removed': ['ZREM', `${mail}:consumers`, 'c'],
};

/** What of the above each role may do. */
const allowed: Record<AclRole, readonly string[]> = {
  'log-producer': ['records appended', 'records removed by one that is appended'],
  'log-consumer': [
    'records read',
    'records appended',
    'records removed by one that is appended',
    'a position moved',
    'a member removed',
  ],
  'log-operator': [
    'records read',
    'records appended',
    'records removed by one that is appended',
    'records removed',
    'a position moved',
    'a member removed',
  ],
  'queue-producer': [
    'a message read by its name',
    'a message taken out',
    'the names of what is delayed',
    'a reply read',
    'a reply removed',
    'replies removed by one that is sent',
    'a reply sent',
  ],
  'queue-consumer': [
    'a message read by its name',
    'a message taken out',
    'the names of what is delayed',
    'the names of what is completed',
    'replies removed by one that is sent',
    'a reply sent',
    'a consumer removed',
  ],
  'queue-operator': [
    'a list',
    'a message read by its name',
    'a message taken out',
    'the names of what is delayed',
    'the names of what is completed',
    'the removal of a queue',
    'a pause',
    'a rate of nothing',
    'an end for the settings',
    'a declaration',
    'a consumer removed',
  ],
  viewer: [
    'a message in any number',
    'all messages with their names',
    'a list',
    'a message read by its name',
    'the names of what is delayed',
    'the names of what is completed',
    'records read',
  ],
  doctor: ['the settings of the server', 'the slow commands'],
};

describe('a user', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis({ config: users });
  });
  afterAll(stopEverything);

  /** As a user of the role, or as one for some queues. */
  async function connect(role: AclRole, scope?: AclScope) {
    const username = scope === undefined ? `millrace-${role}` : `scoped-${role}`;
    const rules = aclRules(role, { ...scope, server: knowsWaitaof ? 'newer' : 'redis-7.0' });
    if (scope !== undefined)
      await server.client().call('ACL', 'SETUSER', username, 'reset', 'on', `>${aclPassword}`, ...rules);
    return new RedisConnection({ ...server.connection, username, password: aclPassword }).open();
  }

  it.each(aclRoles)('of role %s may do what its role needs, and none of what it does not need', async (role) => {
    const may = async (command: readonly string[]) =>
      (await server.client().call('ACL', 'DRYRUN', `millrace-${role}`, ...command)) === 'OK';
    const can: string[] = [];
    for (const [what, command] of Object.entries(others)) if (await may(command)) can.push(what);
    expect(can).toEqual(allowed[role]);
  });

  it('can do no more in a script of its own', async () => {
    // given
    const connection = await connect('queue-producer');
    const run = (command: readonly string[]) => {
      const [name = '', key = '', ...args] = command;
      return connection.commands.eval(`return redis.call('${name}', KEYS[1], unpack(ARGV))`, 1, key, ...args);
    };
    // when, then
    for (const what of ['a message in any number', 'the removal of a queue', 'a pause', 'a rate of nothing', 'a list'])
      await expect(run(others[what] ?? [])).rejects.toThrow(/can't (run|access)|ACL failure in script/);
    expect(await run(['HSET', `${mail}:messages`, 'entry', 'frame'])).toBe(1);
    expect(await run(['HDEL', `${mail}:messages`, 'entry'])).toBe(1);
    connection.close();
  });

  it('that lacks a right which a script needs gets an error that says so', async () => {
    // given: a producer that may not write frames
    const rules = aclRules('queue-producer', { server: 'redis-7.0' }).filter((rule) => !rule.includes(':messages'));
    await server.client().call('ACL', 'SETUSER', 'lacking', 'reset', 'on', `>${aclPassword}`, ...rules);
    const [operator, connection] = [
      await connect('queue-operator'),
      await new RedisConnection({ ...server.connection, username: 'lacking', password: aclPassword }).open(),
    ];
    const [owner, producer] = [new Broker(operator, { upkeep: false }), new Broker(connection, { upkeep: false })];
    await owner.declareQueue({ name: 'closed' });
    // when, then
    await expect(producer.sendToQueue('closed', 1)).rejects.toMatchObject({ failure: 'denied', statusCode: 500 });
    for (const broker of [producer, owner]) await broker.close();
    for (const one of [operator, connection]) one.close();
  });

  it('of one queue has no other', async () => {
    // given
    const operator = await connect('queue-operator');
    const owner = new Broker(operator, { upkeep: false });
    await owner.declare({
      queues: [{ name: 'mail', shards: 2 }, { name: 'mail.dead-letters' }, { name: 'mailing' }, { name: 'mail.2' }],
    });
    const scope = { queues: ['mail'] };
    const [producing, consuming] = [await connect('queue-producer', scope), await connect('queue-consumer', scope)];
    const [producer, consumer] = [producing, consuming].map((connection) => new Broker(connection, { upkeep: false }));
    const handled: unknown[] = [];
    const handler = (value: unknown): void => {
      if (value === 'bad') throw new Error('on purpose');
      handled.push(value);
    };
    await consumer?.consumer({ queue: 'mail', retry: false, handler }).start();
    // when
    for (const value of [1, 2, 'bad', 3]) await producer?.sendToQueue('mail', value);
    // then
    await waitFor(() => handled.length === 3, { what: 'its messages' });
    const dead = owner.queue('mail.dead-letters');
    await waitFor(async () => (await dead.counts()).ready === 1, { what: 'its dead letter' });
    for (const queue of ['mailing', 'mail.2']) {
      await expect(producer?.sendToQueue(queue, 1)).rejects.toMatchObject({ failure: 'denied' });
      await expect(consumer?.consumer({ queue, handler }).start()).rejects.toMatchObject({ failure: 'denied' });
    }
    for (const broker of [producer, consumer, owner]) await broker?.close();
    for (const connection of [producing, consuming, operator]) connection.close();
  });

  it('that may not read a queue gets an error that says so from every call', async () => {
    // given
    const [operator, watching] = [await connect('queue-operator'), await connect('viewer', { queues: ['mine'] })];
    const owner = new Broker(operator, { upkeep: false });
    await owner.declareQueue({ name: 'theirs' });
    const queue = new Broker(watching, { upkeep: false }).queue('theirs');
    // when, then
    const uses = [() => queue.counts(), () => queue.ready(), () => queue.delayed(), () => queue.isPaused()];
    for (const use of uses) {
      const error = await use().then(() => 'done', Object);
      expect(error).toBeInstanceOf(WriteError);
      expect(error).toMatchObject({
        failure: 'denied',
        message: expect.stringMatching(/reach queue "theirs".*lacks a perm/),
      });
    }
    await owner.close();
    for (const one of [operator, watching]) one.close();
  });

  it.each<[string, AclScope, RegExp]>([
    [
      'no name',
      { queues: [''], topics: ['.'] },
      /2 problems.*queues\[0\]: queue name is empty.*topics\[0\]: .*reserved/s,
    ],
    ['a line break', { groups: ['g\n+@all'] }, /groups\[0\]: .*control character U\+000A/],
    ['a name that is no string', { queues: [5 as never] }, /queues\[0\]: queue name must be a string/],
    ['a prefix that is a pattern', { prefix: '*' }, /prefix must be/],
    ['a prefix that ends a word', { prefix: 'a +@all' }, /prefix must be/],
  ])('has no rules for %s', (_, scope, message) => {
    const rules = () => aclRules('queue-consumer', scope);
    expect(rules).toThrow(OptionsError);
    expect(rules).toThrow(message);
  });

  it('of a queue that is called * has no other', () => {
    const rules = aclRules('queue-producer', { queues: ['*'] }).join(' ');
    expect(rules).toContain('{queue:%2A}:messages');
    expect(rules).not.toContain('{queue:*}');
  });

  it('that consumes lists what is delayed, parked or completed, and not what is ready', async () => {
    // given
    const [operator, consuming] = [await connect('queue-operator'), await connect('queue-consumer')];
    const [owner, consumer] = [operator, consuming].map((connection) => new Broker(connection, { upkeep: false }));
    await owner?.declareQueue({ name: 'listed', keepCompleted: { count: 1 } });
    await consumer?.consumer({ queue: 'listed', handler: () => undefined }).start();
    await owner?.sendToQueue('listed', 'done');
    await owner?.sendToQueue('listed', 'later', { delayMs: 60_000 });
    const queue = consumer?.queue('listed');
    // when, then
    await waitFor(async () => (await queue?.completed())?.messages.length === 1, { what: 'the completed message' });
    expect((await queue?.delayed())?.messages.map((message) => message.payload())).toEqual(['later']);
    expect(await queue?.parked()).toMatchObject({ messages: [] });
    await expect(queue?.ready()).rejects.toMatchObject({ failure: 'denied' });
    for (const broker of [consumer, owner]) await broker?.close();
    for (const connection of [consuming, operator]) connection.close();
  });

  it('that operates one queue reaches the messages of no other, and changes what others declare: it is shared', async () => {
    // given
    const all = await connect('queue-operator');
    const owner = new Broker(all, { upkeep: false });
    const binding = { exchange: 'shared', queue: 'theirs', routingKey: 'a' };
    await owner.declare({
      exchanges: [{ name: 'shared', type: 'direct' }],
      queues: [{ name: 'theirs' }, { name: 'own' }],
      bindings: [binding],
    });
    const scoped = await connect('queue-operator', { queues: ['own'] });
    const operator = new Broker(scoped, { upkeep: false });
    // when, then
    await expect(operator.queue('theirs').ready()).rejects.toMatchObject({ failure: 'denied' });
    expect(await operator.unbind(binding)).toBe(true);
    await operator.bind({ ...binding, queue: 'own' });
    expect((await owner.plan({ bindings: [binding] })).map(({ action }) => action)).toEqual(['create']);
    for (const broker of [operator, owner]) await broker.close();
    for (const connection of [scoped, all]) connection.close();
  });

  it('that views sees topics, queues and messages, and changes nothing', async () => {
    // given
    const [operator, viewing] = [await connect('queue-operator'), await connect('viewer')];
    const owner = new Broker(operator, { upkeep: false });
    await owner.declareQueue({ name: 'seen' });
    const { messageId } = await owner.sendToQueue('seen', 'payload');
    const viewer = new Broker(viewing, { upkeep: false });
    const log = new Log(viewing, { retentionIntervalMs: 0 });
    // when
    const queue = viewer.queue('seen');
    const message = await queue.message(messageId);
    const [first] = (await queue.ready()).messages;
    // then
    expect(message).toMatchObject({ state: 'ready' });
    expect(first?.payload()).toBe('payload');
    expect(await queue.counts()).toMatchObject({ ready: 1 });
    expect(await queue.isPaused()).toBe(false);
    expect(await log.listTopics()).toEqual([]);
    expect(await log.groups.list()).toEqual([]);
    const overview = await new Overview(viewing).read();
    expect(overview.queues.map(({ queue: name }) => name)).toContain('seen');
    // and
    const changes = [() => queue.pause(), () => queue.cancel(messageId), () => viewer.sendToQueue('seen', 1)];
    for (const change of changes) await expect(change()).rejects.toMatchObject({ failure: 'denied', statusCode: 500 });
    await viewer.close();
    await log.close();
    await owner.close();
    for (const connection of [viewing, operator]) connection.close();
  });
});
