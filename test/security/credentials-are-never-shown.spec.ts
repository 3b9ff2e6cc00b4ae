import { inspect } from 'node:util';
import { afterAll, afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Events } from '@millrace/delivery';
import { Log } from '@millrace/log';
import { Metrics } from '@millrace/metrics';
import { Broker } from '@millrace/queue';
import { type ConnectionInput, RedisConnection } from '@millrace/redis';
import { freePort, startCluster, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { aclPassword, aclUser } from './acl-users.js';
import { startWithTls, tlsProblem } from './certificates.js';

const marker = 'zq9-Wein-marker-71';

/** Everything that a log could show of a value. */
function everythingOf(value: unknown): string {
  const shown = inspect(value, { depth: 12, showHidden: true, getters: false });
  const json = (() => {
    try {
      return JSON.stringify(value);
    } catch {
      return '';
    }
  })();
  const nested = value instanceof Error ? everythingOf({ ...value, cause: value.cause }) : '';
  return [String(value), value instanceof Error ? value.stack : '', shown, json, nested].join('\n');
}

describe('a password', () => {
  const seen: string[] = [];
  const note = (value: unknown): void => void seen.push(everythingOf(value));
  const spies: { mockRestore(): void }[] = [];
  beforeEach(() => {
    for (const stream of [process.stdout, process.stderr]) {
      const spy = jest.spyOn(stream, 'write').mockImplementation((chunk) => {
        seen.push(String(chunk));
        return true;
      });
      spies.push(spy);
    }
    process.on('warning', note);
  });
  afterEach(() => {
    for (const spy of spies.splice(0)) spy.mockRestore();
    process.off('warning', note);
    expect(seen.filter((text) => text.includes(marker))).toEqual([]);
    expect(seen.length).toBeGreaterThan(0);
    seen.length = 0;
  });
  afterAll(stopEverything);

  /** Tries to open, and notes all that is said of it. */
  async function tryToOpen(input: ConnectionInput): Promise<void> {
    try {
      const connection = new RedisConnection({ connectTimeoutMs: 300, ...input });
      for (const event of ['down', 'warning'] as const) connection.on(event, note);
      await connection.open().catch(note);
      note(connection);
      note(connection.downReason);
      connection.close();
    } catch (error) {
      note(error);
    }
  }

  it('is in no error when Redis is away, refuses it, or is something else', async () => {
    const [away, server, cluster, tls] = [
      await freePort(),
      await startRedis({ password: 'another' }),
      await startCluster({ masters: 3, replicasPerMaster: 0, password: 'another' }),
      tlsProblem === undefined ? await startWithTls('another') : undefined,
    ];
    await tryToOpen({ url: `redis://user:${marker}@127.0.0.1:${away}` });
    await tryToOpen({ url: `redis://:${marker}@127.0.0.1:${server.port}` });
    await tryToOpen({ url: `redis://127.0.0.1:${server.port}?password=${marker}` });
    await tryToOpen({ url: `redis://127.0.0.1:${server.port}`, username: 'user', password: marker });
    await tryToOpen({ url: `rediss://user:${marker}@127.0.0.1:${server.port}` });
    await tryToOpen({ url: `rediss://user:${marker}@127.0.0.1:${tls?.tlsPort ?? away}`, tls: { ca: tls?.otherCa } });
    await tryToOpen({ ...cluster.connection, password: marker });
    await tryToOpen({ sentinel: { name: 'm', nodes: [{ host: '127.0.0.1', port: server.port }], password: marker } });
    await tryToOpen({ url: `http://user:${marker}@127.0.0.1` });
    await tryToOpen({ url: `redis://user:${marker}@[` });
    await tryToOpen({ url: `redis://user:${marker}@127.0.0.1`, sentinel: { name: 'm', nodes: [] }, password: marker });
  });

  it('is in no error, event or metric of what runs under it, while rights are missing and while Redis goes away', async () => {
    const { rules } = aclUser('queue-consumer');
    const user = ['poor', 'on', `>${marker}`, ...rules, '-evalsha', '-eval'];
    const server = await startRedis({ config: { user } });
    expect(aclPassword).not.toBe(marker);
    const connection = new RedisConnection({ url: `redis://poor:${marker}@127.0.0.1:${server.port}` });
    for (const event of ['down', 'warning'] as const) connection.on(event, note);
    await connection.open();
    const events = new Events();
    events.on('background-error', note);
    const [log, broker] = [new Log(connection, { events }), new Broker(connection, { events, deliveryTimeoutMs: 200 })];
    const metrics = new Metrics({ connection, events }, { scrapeTimeoutMs: 300 });
    await metrics.start();
    for (const state of ['there', 'away']) {
      await Promise.all([
        log.declareTopic({ name: 'orders' }).catch(note),
        log.producer({ deliveryTimeoutMs: 200 }).send({ topic: 'orders', value: 1 }).catch(note),
        broker.declareQueue({ name: 'mail' }).catch(note),
        broker.publish('', 'mail', 1).catch(note),
        connection.commands.get('x').catch(note),
      ]);
      note(await metrics.registry.metrics());
      if (state === 'there') await server.kill();
      await waitFor(() => state === 'away' || !connection.isUp, { what: 'the connection to be lost' });
    }
    await Promise.all([metrics.stop(), log.close(), broker.close()]);
    note([connection, log, broker, metrics]);
    connection.close();
  });
});
