import { inspect } from 'node:util';
import { afterAll, afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Millrace, MillraceHealth, MillraceModule } from '@millrace/nestjs';
import { MillraceClient, MillraceServer } from '@millrace/nestjs/transport';
import { freePort, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { ConsoleLogger } from '@nestjs/common';
import { Test } from '@nestjs/testing';

const marker = 'zq9-Nest-marker-72';

describe('in a Nest application, a password', () => {
  const seen: string[] = [];
  const note = (value: unknown): void => {
    seen.push(inspect(value, { depth: 8, showHidden: true }), JSON.stringify(value) ?? '', String(value));
    if (value instanceof Error) note(value.cause ?? '');
  };
  const spies: { mockRestore(): void }[] = [];
  beforeEach(() => {
    for (const stream of [process.stdout, process.stderr]) {
      const spy = jest.spyOn(stream, 'write').mockImplementation((chunk) => {
        seen.push(String(chunk));
        return true;
      });
      spies.push(spy);
    }
  });
  afterEach(() => {
    for (const spy of spies.splice(0)) spy.mockRestore();
    expect(seen.filter((text) => text.includes(marker))).toEqual([]);
    expect(seen.length).toBeGreaterThan(0);
    seen.length = 0;
  });
  afterAll(stopEverything);

  it('is in no log, health report or error of a start without Redis, and in nothing that is injected', async () => {
    const connection = { url: `redis://user:${marker}@127.0.0.1:${await freePort()}`, connectTimeoutMs: 300 };
    for (const waitForRedis of [false, 'background'] as const) {
      const module = await Test.createTestingModule({ imports: [MillraceModule.forRoot({ connection, waitForRedis })] })
        .setLogger(new ConsoleLogger())
        .compile()
        .catch((error: unknown) => note(error));
      if (module === undefined) continue;
      const application = module.createNestApplication();
      await application.init();
      await waitFor(() => seen.some((text) => text.includes('Waiting for Redis')), { what: 'it to be logged' });
      note(await application.get(MillraceHealth).isHealthy());
      const { connection: shown, options } = application.get(Millrace);
      note([shown, options]);
      await application.close();
    }
  });

  it('is in nothing that a transport shows', async () => {
    const server = await startRedis({ password: marker });
    const connection = { ...server.connection, prefix: 'transport' };
    const [asking, answering] = [
      new MillraceClient({ connection }),
      new MillraceServer({ connection, queue: 'answers' }),
    ];
    await asking.connect();
    note([asking, answering]);
    await asking.close();
    await answering.close();
  });
});
