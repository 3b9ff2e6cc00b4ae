import { afterEach, describe, expect, it } from '@jest/globals';
import { Events } from '@millrace/delivery';
import { Log } from '@millrace/log';
import { Broker } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { MemberProgram } from '../log/member-program.js';
import { spawnConsumer } from '../queue/consuming.js';
import { aclPassword, asSetting, unitedUser, workingUsers } from './acl-users.js';

/** The rights of all documented users together, without CLIENT LIST. */
const user = unitedUser('everybody', workingUsers);
const cautious = { ...user, rules: user.rules.filter((rule) => rule !== '+client|list') };

/** How often Redis refused a command. */
async function refusals(server: RedisServer, command: string): Promise<number> {
  const entries = (await server.client().call('ACL', 'LOG')) as string[][];
  const found = entries.filter((entry) => entry.includes(command));
  return found.reduce((sum, entry) => sum + Number(entry[entry.indexOf('count') + 1]), 0);
}

/** Waits until the sessions in a sorted set were extended `times` times: with each, a member watches the others. */
async function extended(server: RedisServer, key: string, times: number): Promise<void> {
  const seen = new Set<string>();
  const look = async () =>
    seen.add(String(await server.client().call('ZRANGE', key, 0, -1, 'WITHSCORES'))).size > times;
  await waitFor(look, { what: `${times} heartbeats`, intervalMs: 5 });
}

describe('where CLIENT LIST is not allowed', () => {
  afterEach(stopEverything);

  async function start() {
    const server = await startRedis({ aof: 'everysec', config: { user: asSetting(cautious) } });
    const login = { ...server.connection, username: cautious.name, password: aclPassword };
    const errors: unknown[] = [];
    const events = new Events();
    events.on('background-error', ({ error }) => errors.push(error));
    return { server, login, errors, events };
  }

  it("a killed member's partitions go to another when its lease is over, and no process polls CLIENT LIST", async () => {
    // given
    const { server, login, errors, events } = await start();
    const connection = await new RedisConnection(login).open();
    const log = new Log(connection, { events });
    await log.declareTopic({ name: 'orders' });
    const options = { group: 'g', topics: 'orders', leaseMs: 1500, heartbeatMs: 50 };
    const victim = await MemberProgram.start(login, options);
    await victim.hasSaid('partition-assigned');
    const seen: unknown[] = [];
    const other = log.consumer({ ...options, handler: (value) => void seen.push(value) });
    await other.start();
    // a living one is not taken for dead
    await extended(server, 'millrace:{group:g}:members', 20);
    expect([...victim.lines('lease-lost'), ...victim.lines('partition-revoked')]).toEqual([]);
    // when
    await victim.program.kill();
    await log.producer().send({ topic: 'orders', value: 'after' });
    // then
    await waitFor(() => seen.length === 1, { what: 'the record to be handled by the other' });
    expect(await refusals(server, 'client|list')).toBeLessThanOrEqual(2);
    expect(errors).toEqual([]);
    await log.close();
    connection.close();
  });

  it("a killed consumer's messages go to another when its lease is over, and no process polls CLIENT LIST", async () => {
    // given
    const { server, login, errors, events } = await start();
    const connection = await new RedisConnection({ ...login, prefix: 'p' }).open();
    const broker = new Broker(connection, { events });
    await broker.declareQueue({ name: 'q' });
    const victim = await spawnConsumer({ connection: login }, 'p', 'q', { leaseMs: 1500 });
    await broker.sendToQueue('q', { hang: true }, { messageId: 'm' });
    await victim.waitForLine('got m');
    const seen: unknown[] = [];
    await broker.consumer({ queue: 'q', leaseMs: 1500, handler: (payload) => void seen.push(payload) }).start();
    // a living one is not taken for dead
    await extended(server, 'p:{queue:q}:consumers', 10);
    expect(seen).toEqual([]);
    // when
    await victim.kill();
    // then
    await waitFor(() => seen.length === 1, { what: 'the message to be handled by the other' });
    expect(await refusals(server, 'client|list')).toBeLessThanOrEqual(2);
    expect(errors).toEqual([]);
    await broker.close();
    connection.close();
  });
});
