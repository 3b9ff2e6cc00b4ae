import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Consumers, InjectQueue, LogHandler, MillraceModule, QueueHandler, type QueueSender } from '@millrace/nestjs';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { Injectable, Module } from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import { connectionTo, startApplication } from './application.js';
import { type Channel, channels, channelsModule, send } from './channels.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

const got: unknown[] = [];
const extra = { name: 'extra' };

@Injectable()
class Inbox {
  constructor(@InjectQueue(extra) readonly onward: QueueSender<string>) {}

  @QueueHandler({ queue: 'work' })
  @LogHandler({ topic: 'work', group: 'lazy' })
  async onMessage(payload: string): Promise<void> {
    await this.onward.send(`${payload}, passed on`);
  }

  @QueueHandler({ queue: 'extra' })
  onExtra(payload: string): void {
    got.push(payload);
  }
}

@Module({ imports: [MillraceModule.forFeature({ queues: [extra] })], providers: [Inbox] })
class LazyModule {}

describe.each(channels)('a module that is loaded while the application runs', (channel: Channel) => {
  it('has its topology declared, and its handlers taken up by discover()', async () => {
    // given
    got.length = 0;
    const application = await startApplication(connectionTo(redis), { imports: [channelsModule()] });
    const consumers = application.get(Consumers);
    await send(application, channel, 'hello');
    // when
    await application.get(LazyModuleLoader).load(() => LazyModule);
    const taken = await consumers.discover();
    // then
    await waitFor(() => got.length === 1, { what: 'the message to come through both queues' });
    expect(got).toEqual(['hello, passed on']);
    expect(taken.map(({ source, isRunning }) => [source, isRunning])).toEqual([
      ['queue "work"', true],
      ['queue "extra"', true],
      ['group "lazy" of work', true],
    ]);
    expect(await consumers.discover()).toEqual([]);
    await application.close();
  });
});

describe('a handler that comes too late', () => {
  it('for a queue that has its consumer is refused, since each would get half of the messages', async () => {
    // given
    @Injectable()
    class Early {
      @QueueHandler({ queue: 'work' })
      onMessage(): void {}
    }
    const application = await startApplication(connectionTo(redis), {
      imports: [channelsModule()],
      providers: [Early],
    });
    // when
    await application.get(LazyModuleLoader).load(() => LazyModule);
    const discovered = application.get(Consumers).discover();
    // then
    await expect(discovered).rejects.toMatchObject({
      problems: ['Inbox.onMessage: Early.onMessage consumes from queue "work" already: load their modules together'],
    });
    expect(application.get(Consumers).all).toHaveLength(1);
    await application.close();
  });

  it('waits with its connection, when that is started by hand', async () => {
    // given
    got.length = 0;
    const options = connectionTo(redis, { startConsumers: 'manual' });
    const application = await startApplication(options, { imports: [channelsModule()] });
    const consumers = application.get(Consumers);
    await application.get(LazyModuleLoader).load(() => LazyModule);
    // when
    const taken = await consumers.discover();
    const before = taken.map(({ isRunning }) => isRunning);
    await send(application, 'queue', 'hello');
    await consumers.start();
    // then
    await waitFor(() => got.length === 1, { what: 'the message' });
    expect(before).toEqual([false, false, false]);
    await application.close();
  });
});
