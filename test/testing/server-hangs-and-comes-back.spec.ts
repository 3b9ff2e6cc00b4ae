import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, stopEverything } from '@millrace/testing';

describe('a frozen server', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  it('does not reply while connections stay open, and replies to all when it is thawed', async () => {
    // given
    const client = server.client();
    const patient = server.client();
    await Promise.all([client.ping(), patient.ping()]);
    client.options.commandTimeout = 60;
    // when
    await server.freeze();
    const asked = patient.incr('asked');
    // then
    await expect(client.ping()).rejects.toThrow('Command timed out');
    expect([client.status, server.isRunning]).toEqual(['ready', true]);
    server.thaw();
    expect(await asked).toBe(1);
  });

  it('can be killed, restarted and stopped as it is', async () => {
    await server.freeze();
    await server.restart();
    expect(await server.client().ping()).toBe('PONG');
    await server.freeze();
    await server.kill();
    await server.restart();
    expect(await server.client().ping()).toBe('PONG');
    await server.freeze();
    await Promise.all([server.stop(), server.stop()]);
    expect(server.isRunning).toBe(false);
  });
});
