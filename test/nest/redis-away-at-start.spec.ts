import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { UnavailableError } from '@millrace/core';
import { Millrace, QueueHandler } from '@millrace/nestjs';
import { freePort, type RedisServer, startProxy, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { Injectable } from '@nestjs/common';
import { connectionTo, createApplication, startApplication } from './application.js';
import { channelsModule, send } from './channels.js';

let port: number;
beforeAll(async () => {
  port = await freePort();
});
afterAll(stopEverything);

@Injectable()
class Inbox {
  readonly got: unknown[] = [];

  @QueueHandler({ queue: 'work' })
  onMessage(payload: unknown): void {
    this.got.push(payload);
  }
}

const metadata = { imports: [channelsModule()], providers: [Inbox] };

function away(waitForRedis?: true | 'background'): Parameters<typeof startApplication>[0] {
  const options = connectionTo({ url: `redis://127.0.0.1:${port}` });
  const connection = { ...options.connection, connectTimeoutMs: 1000 };
  return { ...options, connection, ...(waitForRedis === undefined ? {} : { waitForRedis }) };
}

describe('an application that starts while Redis is away', () => {
  it('fails with an error that says what to do', async () => {
    // when
    const error = await startApplication(away(), metadata).catch((reason: unknown) => reason);
    // then
    expect(error).toBeInstanceOf(UnavailableError);
    expect(String(error)).toMatch(/connection "default".*cannot start: Redis is away: .*ECONNREFUSED.*waitForRedis/);
  });

  it('starts when Redis does, if it is told to wait', async () => {
    // given
    const starting = startApplication(away(true), metadata);
    // when
    const redis = await startRedis({ port });
    const application = await starting;
    // then
    expect(application.get(Millrace).state).toBe('ready');
    await application.close();
    await redis.stop();
  });

  it('runs without it in the background mode, and consumes once it is there', async () => {
    // given
    const application = await startApplication(away('background'), metadata);
    expect(application.get(Millrace).state).toBe('waiting');
    // when
    const redis: RedisServer = await startRedis({ port });
    await waitFor(() => application.get(Millrace).state === 'ready', { what: 'the connection' });
    await send(application, 'queue', 'at last');
    // then
    await waitFor(() => application.get(Inbox).got.length === 1, { what: 'the message' });
    await application.close();
    await redis.stop();
  });

  it.each([true, 'background'] as const)('can be closed while it waits (%s)', async (mode) => {
    // given
    const application = mode === true ? undefined : await createApplication(away(mode), metadata);
    const starting = application?.init() ?? startApplication(away('background'), metadata);
    // when
    const started = await starting;
    // then
    await started.close();
  });

  it('comes back when Redis goes away while its server is checked', async () => {
    // given
    const redis = await startRedis();
    const proxy = await startProxy(redis);
    proxy.refuse();
    const application = await startApplication({ ...connectionTo(proxy), waitForRedis: 'background' }, metadata);
    // when: the first thing that is asked on the connection gets no answer
    const cut = new Promise((resolve) => {
      application.get(Millrace).connection.once('up', () => resolve(proxy.cutBeforeReply('INFO')));
    });
    await proxy.accept();
    await cut;
    // then
    await waitFor(() => application.get(Millrace).state === 'ready', { what: 'the connection' });
    await send(application, 'queue', 'at last');
    await waitFor(() => application.get(Inbox).got.length === 1, { what: 'the message' });
    await application.close();
  });
});
