import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, stopEverything } from '@millrace/testing';

describe('a server', () => {
  let durable: RedisServer;
  let volatile: RedisServer;
  beforeAll(async () => {
    [durable, volatile] = await Promise.all([startRedis({ aof: 'always', password: 'p w' }), startRedis()]);
  });
  afterAll(stopEverything);

  it('has everything after a restart that keeps the data, with an append-only file or without', async () => {
    for (const server of [durable, volatile]) {
      const { port, pid } = server;
      const client = server.client();
      await client.set('kept', '1');
      await server.restart();
      expect(await client.get('kept')).toBe('1');
      expect(server.port).toBe(port);
      expect(server.pid).not.toBe(pid);
    }
  });

  it('has nothing after a restart without the data', async () => {
    for (const server of [durable, volatile]) {
      const client = server.client();
      await client.set('lost', '1');
      await server.restart({ keepData: false });
      expect(await client.exists('lost')).toBe(0);
    }
  });

  it('has after a kill what it had on disk', async () => {
    for (const [server, expected] of [
      [durable, '1'],
      [volatile, null],
    ] as const) {
      const client = server.client();
      await client.set('on disk', '1');
      await server.kill();
      expect(server.isRunning).toBe(false);
      await server.restart();
      expect(await client.get('on disk')).toBe(expected);
    }
  });

  it('keeps the data of a folder that was given to it, for the next server', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'kept-by-the-caller-'));
    try {
      for (const aof of [false, 'everysec'] as const) {
        const first = await startRedis({ dir, aof });
        await first.client().set(`aof ${aof}`, 'kept');
        if (aof) await expect(startRedis({ dir, aof })).rejects.toThrow(`process id ${first.pid}`);
        await first.stop();
        const next = await startRedis({ dir, aof });
        expect(await next.client().get(`aof ${aof}`)).toBe('kept');
        await next.stop();
      }
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
