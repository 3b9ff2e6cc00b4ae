import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Consumers, LogHandler, QueueHandler } from '@millrace/nestjs';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { Injectable, Module, type OnModuleInit } from '@nestjs/common';
import { connectionTo, someReplies, startApplication } from './application.js';
import { channels, channelsModule, send } from './channels.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

describe.each(channels)('a subscription to a %s', (channel) => {
  it('begins and ends while the application runs', async () => {
    // given
    const application = await startApplication(connectionTo(redis), { imports: [channelsModule()] });
    const consumers = application.get(Consumers);
    const got: unknown[] = [];
    const take = (payload: unknown): void => void got.push(payload);
    // when
    const subscription =
      channel === 'queue'
        ? await consumers.subscribeQueue({ queue: 'work' }, take)
        : await consumers.subscribeLog({ topic: 'work', group: 'late' }, take);
    await send(application, channel, 1);
    await waitFor(() => got.length === 1, { what: 'the message' });
    await subscription.stop();
    await send(application, channel, 2);
    await someReplies(redis);
    // then
    expect(consumers.all).toEqual([]);
    expect(got).toEqual([1]);
    await application.close();
  });

  it('begins in a hook of the start', async () => {
    // given
    const got: unknown[] = [];
    @Injectable()
    class Late implements OnModuleInit {
      constructor(private readonly consumers: Consumers) {}

      async onModuleInit(): Promise<void> {
        const take = (payload: unknown): void => void got.push(payload);
        if (channel === 'queue') await this.consumers.subscribeQueue({ queue: 'work' }, take);
        else await this.consumers.subscribeLog({ topic: 'work', group: 'late' }, take);
      }
    }
    // when
    const application = await startApplication(connectionTo(redis), {
      imports: [channelsModule()],
      providers: [Late],
    });
    await send(application, channel, 1);
    // then
    await waitFor(() => got.length === 1, { what: 'the message' });
    await application.close();
  });

  it('of a decorated handler can be stopped and taken up again', async () => {
    // given
    @Injectable()
    class Inbox {
      readonly got: unknown[] = [];

      @QueueHandler({ queue: 'work' })
      onQueue(payload: unknown): void {
        this.got.push(payload);
      }

      @LogHandler({ topic: 'work', group: 'inbox' })
      onLog(payload: unknown): void {
        this.got.push(payload);
      }
    }
    const application = await startApplication(connectionTo(redis), {
      imports: [channelsModule()],
      providers: [Inbox],
    });
    const handler = application.get(Consumers).find(channel === 'queue' ? 'Inbox.onQueue' : 'Inbox.onLog');
    const { got } = application.get(Inbox);
    // when
    await handler?.stop();
    await send(application, channel, 'waits');
    await someReplies(redis);
    expect([handler?.isRunning, got]).toEqual([false, []]);
    await handler?.start();
    // then
    await waitFor(() => got.length === 1, { what: 'the message that waited' });
    await application.close();
  });
});

describe('options of a decorator', () => {
  it.each(channels)('come from a factory or a token: %s', async (channel) => {
    // given
    const settings = Symbol('settings');
    const fromFactory = { inject: ['name'], useFactory: (name: string) => ({ topic: name, group: 'mail' }) };
    @Injectable()
    class Inbox {
      readonly got: unknown[] = [];

      @LogHandler(fromFactory)
      onLog(payload: unknown): void {
        this.got.push(payload);
      }

      @QueueHandler(settings)
      onQueue(payload: unknown): void {
        this.got.push(payload);
      }
    }
    @Module({
      providers: [Inbox, { provide: 'name', useValue: 'work' }, { provide: settings, useValue: { queue: 'work' } }],
    })
    class InboxModule {}
    const application = await startApplication(connectionTo(redis), { imports: [channelsModule(), InboxModule] });
    // when
    await send(application, channel, 'hello');
    // then
    await waitFor(() => application.get(Inbox).got.length === 1, { what: 'the message' });
    await application.close();
  });
});
