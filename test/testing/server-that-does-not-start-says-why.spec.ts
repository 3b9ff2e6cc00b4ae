import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OptionsError } from '@millrace/core';
import { findRedisBinary, type RedisServer, RedisStartError, startRedis, stopEverything } from '@millrace/testing';

describe('startRedis', () => {
  let other: RedisServer;
  beforeAll(async () => {
    other = await startRedis({
      password: 'secret',
      maxmemory: '5mb',
      config: { 'list-max-listpack-size': -1, save: ['60', '1'] },
    });
  });
  afterAll(stopEverything);

  it('passes settings on', async () => {
    const settings = await other.client().config('GET', 'maxmemory', 'list-max-listpack-size', 'save', 'bind');
    expect(settings).toEqual(expect.arrayContaining(['5242880', '-1', '60 1', '127.0.0.1']));
  });

  it('rejects a client without the password', async () => {
    await expect(other.client({ password: 'wrong' }).ping()).rejects.toThrow(/WRONGPASS|NOAUTH/);
    expect(other.url).toBe(`redis://:secret@127.0.0.1:${other.port}`);
  });

  it('shows what the server printed', async () => {
    const started = startRedis({ config: { 'no-such-setting': 1 } });
    await expect(started).rejects.toThrow(RedisStartError);
    await expect(started).rejects.toThrow('no-such-setting');
  });

  it('names a port that is taken, and never takes the server that has it for its own', async () => {
    const started = startRedis({ port: other.port, password: 'secret' });
    await expect(started).rejects.toThrow('Address already in use');
    await expect(started).rejects.toMatchObject({ portTaken: true, code: 'REDIS_START' });
  });

  it('names every wrong option in one error', async () => {
    const options = { aof: 'sometimes', port: 70_000, pasword: 'x' };
    const started = startRedis(options as object);
    await expect(started).rejects.toThrow(OptionsError);
    await expect(started).rejects.toMatchObject({ problems: { length: 3 } });
  });

  it('says which program it cannot use', async () => {
    await expect(findRedisBinary('/nowhere/redis-server')).rejects.toThrow('/nowhere/redis-server could not be run');
    await expect(findRedisBinary(process.execPath)).rejects.toThrow('is not a Redis or Valkey server');
  });
});
