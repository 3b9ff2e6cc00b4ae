import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MillraceClient } from '@millrace/nestjs/transport';
import { type Program, type RedisServer, spawnProgram, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { firstValueFrom, take, toArray } from 'rxjs';

/** Processes that load Nest start slowly on a busy machine. */
const slowMs = 60_000;

let redis: RedisServer;
let service: Program;
let client: MillraceClient;
beforeAll(async () => {
  redis = await startRedis();
  service = await spawnProgram('test/programs/nest-rpc-service.mjs', { args: [redis.url, 'rpc'] });
  client = new MillraceClient({ connection: { url: redis.url, prefix: 'rpc' }, timeoutMs: 50_000 });
  await waitFor(() => service.lines.includes('ready'), { what: 'the service', timeoutMs: 50_000 });
}, slowMs);
afterAll(async () => {
  await client.close();
  await stopEverything();
});

describe('a request to a service in another process', () => {
  it('is answered', async () => {
    expect(await firstValueFrom(client.send('sum', [1, 2, 3]))).toBe(6);
    expect(await firstValueFrom(client.send<number>('pid', {}))).not.toBe(process.pid);
  });

  it('is cancelled there when the client unsubscribes here', async () => {
    // when
    const values = await firstValueFrom(client.send<number>('count', {}).pipe(take(3), toArray()));
    // then
    expect(values).toEqual([0, 1, 2]);
    await waitFor(() => service.lines.includes('stream ended'), { what: 'the end of the stream' });
  });

  it(
    'waits for a service that was killed and starts again',
    async () => {
      // given
      await service.kill();
      // when
      const answer = firstValueFrom(client.send('sum', [20, 22]));
      service = await spawnProgram('test/programs/nest-rpc-service.mjs', { args: [redis.url, 'rpc'] });
      // then
      expect(await answer).toBe(42);
    },
    slowMs,
  );
});

describe('an application that was closed, or could not start', () => {
  it.each([
    ['closed', [], ['started', 'closed']],
    ['stopped by a wrong option', ['wrong'], ['failed: OPTIONS']],
  ])(
    'leaves nothing that keeps its process alive: %s',
    async (_how, args, lines) => {
      // when
      const program = await spawnProgram('test/programs/nest-application.mjs', { args: [redis.url, 'app', ...args] });
      const { code } = await program.exited;
      // then
      expect(program.lines).toEqual(lines);
      expect(code).toBe(0);
    },
    slowMs,
  );

  it(
    'leaves nothing when Redis is away',
    async () => {
      // when
      const program = await spawnProgram('test/programs/nest-application.mjs', {
        args: ['redis://127.0.0.1:1', 'app'],
      });
      const { code } = await program.exited;
      // then
      expect([program.lines, code]).toEqual([['failed: UNAVAILABLE'], 0]);
    },
    slowMs,
  );
});
