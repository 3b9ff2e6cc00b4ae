import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { UnavailableError, UnsupportedServerError } from '@millrace/core';
import { Consumers, Millrace, QueueHandler } from '@millrace/nestjs';
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

  it('starts when Redis does, if it is configured to wait', async () => {
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

  it.each(['at the start', 'while it waits'])('can be closed %s', async (when) => {
    // given
    const application = await createApplication(away('background'), metadata);
    const millrace = application.get(Millrace);
    if (when === 'while it waits') {
      await application.init();
      await waitFor(() => millrace.state === 'waiting', { what: 'the wait' });
    }
    // when
    const [ready] = await Promise.allSettled([millrace.ready(), application.close()]);
    // then
    expect(millrace.state).toBe('closed');
    expect(ready).toMatchObject({ status: 'rejected', reason: expect.any(UnavailableError) });
  });

  it('consumes what its handlers declare together, each bound to an exchange that another declares', async () => {
    // given
    const events = { name: 'events', type: 'topic', messages: {} } as const;
    @Injectable()
    class Both {
      readonly got: unknown[] = [];

      @QueueHandler({ queue: 'first', bind: [{ exchange: 'events', routingKey: '#' }] })
      onFirst(payload: unknown): void {
        this.got.push(payload);
      }

      @QueueHandler({ queue: 'second', bind: [{ exchange: events, routingKey: '#' }] })
      onSecond(payload: unknown): void {
        this.got.push(payload);
      }
    }
    const application = await startApplication(away('background'), { providers: [Both] });
    // when
    const redis = await startRedis({ port });
    const consumers = application.get(Consumers);
    await waitFor(() => consumers.all.every(({ isRunning }) => isRunning), { what: 'both consumers' });
    await application.get(Millrace).broker.publish('events', 'any', 'at last');
    // then
    await waitFor(() => application.get(Both).got.length === 2, { what: 'both messages' });
    await application.close();
    await redis.stop();
  });

  it('does not wait for a server that cannot keep its promises', async () => {
    // given
    const redis = await startRedis({ config: { 'maxmemory-policy': 'allkeys-lru' } });
    // when
    const start = startApplication({ ...connectionTo(redis), waitForRedis: true }, metadata);
    // then
    await expect(start).rejects.toThrow(UnsupportedServerError);
    await redis.stop();
  });

  it('comes back when Redis goes away while its server is checked', async () => {
    // given
    const redis = await startRedis();
    const proxy = await startProxy(redis);
    proxy.refuse();
    const application = await startApplication({ ...connectionTo(proxy), waitForRedis: 'background' }, metadata);
    // when: the first command on the connection gets no reply
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
