import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { UnavailableError, UnsupportedServerError } from '@millrace/core';
import { asInteger, RedisConnection, redisFailure, Script } from '@millrace/redis';
import { type RedisServer, startRedis, waitFor } from '@millrace/testing';

const count = new Script("return redis.call('INCR', KEYS[1])");

describe('a connection', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());
  const opened: RedisConnection[] = [];
  afterEach(() => {
    for (const connection of opened.splice(0)) connection.close();
  });

  /** @param commandTimeoutMs Default: longer than a test may take, so that what waits for it fails. */
  async function connect({ commandTimeoutMs = 120_000 } = {}): Promise<RedisConnection> {
    const connection = new RedisConnection({ url: server.url, connectTimeoutMs: 2000, commandTimeoutMs });
    opened.push(connection);
    return connection.open();
  }

  it('fails commands immediately while Redis is away, and comes back by itself', async () => {
    // given
    const connection = await connect();
    // when
    await server.kill();
    const failure = await connection.commands.incr('n').catch(redisFailure);
    // then
    expect(failure).toMatchObject({ failure: 'unavailable', isTemporary: true });
    await waitFor(() => !connection.isUp, { what: 'the connection to notice' });
    const next = await connection.commands.incr('n').catch(redisFailure);
    expect(next).toMatchObject({ failure: 'unavailable', mayBeWritten: false });
    await expect(connection.whenReady(10)).rejects.toThrow(UnavailableError);
    await server.restart({ keepData: true });
    await connection.whenReady(5000);
    expect(await connection.commands.ping()).toBe('PONG');
  });

  it('notices a frozen server, whose sockets stay open, and says the command may have been executed', async () => {
    // given
    const connection = await connect({ commandTimeoutMs: 1000 });
    // when
    server.freeze();
    const failure = await connection.commands.incr('n').catch(redisFailure);
    server.thaw();
    // then
    expect(failure).toMatchObject({ failure: 'unavailable', mayBeWritten: true });
    await connection.whenReady(5000);
  });

  it('runs a script again after the server forgot it', async () => {
    // given
    const connection = await connect();
    await count.run(connection.commands, ['counter'], []);
    // when
    await connection.commands.script('FLUSH');
    // then
    expect(asInteger(await count.run(connection.commands, ['counter'], []))).toBe(2);
  });

  it('refuses a server that may evict keys', async () => {
    // given
    const admin = await connect();
    await admin.commands.call('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    // when
    const opening = connect();
    // then
    await expect(opening).rejects.toThrow(UnsupportedServerError);
    await expect(opening).rejects.toThrow(/maxmemory-policy allkeys-lru/);
    await admin.commands.call('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
  });

  it('names a wrong address within its time', async () => {
    const connection = new RedisConnection({ url: 'redis://127.0.0.1:1', connectTimeoutMs: 200 });
    opened.push(connection);
    await expect(connection.open()).rejects.toThrow(/Redis is away.*ECONNREFUSED/);
  });
});
