import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { UnavailableError, WriteError } from '@millrace/core';
import { MillraceClient, MillraceServer } from '@millrace/nestjs/transport';
import { RequestTimeoutError } from '@millrace/queue';
import { freePort, type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { Controller } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { firstValueFrom } from 'rxjs';
import { createApplication } from './application.js';

let port: number;
let redis: RedisServer | undefined;
beforeAll(async () => {
  port = await freePort();
});
afterAll(stopEverything);

function connection(prefix: string) {
  return { url: `redis://127.0.0.1:${port}`, prefix, connectTimeoutMs: 300 };
}

@Controller()
class Echo {
  @MessagePattern('echo')
  echo(word: string): string {
    return word;
  }
}

async function echoService(prefix: string): Promise<{ listen(): Promise<unknown>; close(): Promise<void> }> {
  const module = await Test.createTestingModule({ controllers: [Echo] }).compile();
  const strategy = new MillraceServer({ connection: connection(prefix), queue: 'echo' });
  return module.createNestMicroservice({ strategy, logger: false });
}

const reasonOf = (work: Promise<unknown>): Promise<unknown> => work.catch((reason: unknown) => reason);

describe('a MillraceClient and a MillraceServer whose Redis is away', () => {
  it('say so in words of their own, and work as soon as it is there', async () => {
    // given
    const client = new MillraceClient({ connection: connection('away') });
    const service = await echoService('away');
    const ups: string[] = [];
    client.on('up', () => ups.push('up'));
    // when
    const errors = await Promise.all([
      reasonOf(firstValueFrom(client.send('echo', 1))),
      reasonOf(firstValueFrom(client.emit('echo', 1))),
      reasonOf(service.listen()),
    ]);
    // then
    for (const error of errors) {
      expect(error).toBeInstanceOf(UnavailableError);
      expect(error).toMatchObject({ code: 'UNAVAILABLE' });
      expect(String(error)).toMatch(/Redis is away: .*ECONNREFUSED/);
      expect(String(error)).not.toMatch(/MillraceModule|waitForRedis|connection\.url/);
    }
    expect(String(errors[0])).toMatch(
      /MillraceClient cannot connect: .*option connection; the next call tries again\./,
    );
    expect(String(errors[2])).toMatch(
      /MillraceServer \(queue "echo"\) cannot start: .*another listen\(\) tries again\./,
    );
    // when
    redis = await startRedis({ port });
    await service.listen();
    // then
    expect(await firstValueFrom(client.send('echo', 'at last'))).toBe('at last');
    expect(ups).toEqual(['up']);
    expect(await firstValueFrom(client.status)).toBe('connected');
    await service.close();
    await client.close();
  });

  it('come back from being closed', async () => {
    // given
    redis ??= await startRedis({ port });
    const client = new MillraceClient({ connection: connection('closed') });
    const service = await echoService('closed');
    await service.listen();
    await firstValueFrom(client.send('echo', 1));
    // when
    await client.close();
    const closed = client.unwrap();
    // then
    expect(await firstValueFrom(client.send('echo', 'again'))).toBe('again');
    expect(client.unwrap()).not.toBe(closed);
    expect(await firstValueFrom(client.status)).toBe('connected');
    // when: closed and connected at the same time
    const [, connected] = await Promise.all([client.close(), client.connect()]);
    // then
    expect(connected.connection.isUp).toBe(true);
    expect(await firstValueFrom(client.send('echo', 'and again'))).toBe('and again');
    await client.close();
    await service.close();
  });

  it('fail in a later outage after the time that a delivery or a reply may take, not the time to connect', async () => {
    // given
    redis ??= await startRedis({ port });
    const deliveryTimeoutMs = 300;
    const application = await createApplication({
      connection: { ...connection('outage'), connectTimeoutMs: 20_000 },
      logging: false,
      topics: [{ name: 'orders' }],
      producer: { deliveryTimeoutMs },
      publisher: { deliveryTimeoutMs },
    });
    await application.init();
    const { Millrace } = await import('@millrace/nestjs');
    const millrace = application.get(Millrace);
    const client = new MillraceClient({ connection: millrace, timeoutMs: 100 });
    await client.connect();
    // when
    await redis.stop();
    await waitFor(() => !millrace.connection.isUp, { what: 'the outage' });
    const startedAt = performance.now();
    const errors = await Promise.all([
      reasonOf(firstValueFrom(client.emit('echo', 1))),
      reasonOf(firstValueFrom(client.emit({ topic: 'orders' }, 1))),
      reasonOf(firstValueFrom(client.send('echo', 1))),
    ]);
    // then
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(errors).toEqual([expect.any(WriteError), expect.any(WriteError), expect.any(RequestTimeoutError)]);
    redis = await startRedis({ port });
    await client.close();
    await application.close();
  });

  it('fail in time on a connection that waits in the background', async () => {
    // given
    await redis?.stop();
    const options = { connection: connection('background'), logging: false, waitForRedis: 'background' } as const;
    const application = await createApplication(options);
    await application.init();
    const { Millrace } = await import('@millrace/nestjs');
    const client = new MillraceClient({ connection: application.get(Millrace) });
    await waitFor(() => application.get(Millrace).state === 'waiting', { what: 'the wait to begin' });
    // then
    await expect(firstValueFrom(client.send('echo', 1))).rejects.toThrow(/connection "default" waits for Redis/);
    // when
    redis = await startRedis({ port });
    await waitFor(() => application.get(Millrace).connection.isUp, { what: 'the connection' });
    await application.get(Millrace).ready();
    // then
    await firstValueFrom(client.emit('unhandled', 1), { defaultValue: undefined });
    await client.close();
    await application.close();
    await redis.stop();
  });
});
