import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ClosedError } from '@millrace/core';
import { Consumers, Millrace, MillraceModule } from '@millrace/nestjs';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { type INestApplicationContext, Module, type ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { connectionTo, createApplication } from './application.js';
import { channels, channelsModule, Inbox, send } from './channels.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

const metadata = { imports: [channelsModule()], providers: [Inbox] };

type Start = (metadata: ModuleMetadata) => Promise<INestApplicationContext>;

const withoutHttp: [name: string, start: Start][] = [
  ['an application context', (root) => NestFactory.createApplicationContext(moduleOf(root), { logger: false })],
  [
    'a microservice',
    async (root) => {
      const service = await NestFactory.createMicroservice(moduleOf(root), {
        logger: false,
        options: { host: '127.0.0.1', port: 0 },
      });
      await service.listen();
      return service;
    },
  ],
];

function moduleOf(metadata: ModuleMetadata): object {
  class Root {}
  Module(metadata)(Root);
  return Root;
}

function got(application: INestApplicationContext): readonly unknown[] {
  return application.get(Inbox).got;
}

function running(application: INestApplicationContext): boolean[] {
  return application.get(Consumers).all.map(({ isRunning }) => isRunning);
}

describe.each(channels)('with startConsumers, a handler of a %s', (channel) => {
  it("'listening' begins once the HTTP server listens, and not before", async () => {
    // given
    const application = await createApplication(connectionTo(redis, { startConsumers: 'listening' }), metadata);
    await application.init();
    await send(application, channel, 'early');
    expect(running(application)).toEqual([false, false]);
    expect(got(application)).toEqual([]);
    // when
    await application.listen(0, '127.0.0.1');
    // then
    await waitFor(() => got(application).length === 1, { what: 'the message that waited' });
    await waitFor(() => running(application).every(Boolean), { what: 'both consumers to run' });
    await application.close();
  });

  it("'manual' begins when `start` is called", async () => {
    // given
    const application = await createApplication(connectionTo(redis, { startConsumers: 'manual' }), metadata);
    await application.listen(0, '127.0.0.1');
    await send(application, channel, 'early');
    expect(running(application)).toEqual([false, false]);
    // when
    await application.get(Consumers).start();
    // then
    await waitFor(() => got(application).length === 1, { what: 'the message that waited' });
    await application.close();
  });

  it('begins again when all consumers were stopped and started by hand', async () => {
    // given
    const application = await createApplication(connectionTo(redis), metadata);
    await application.init();
    await application.get(Consumers).stop();
    expect(running(application)).toEqual([false, false]);
    await send(application, channel, 'early');
    // when
    await application.get(Consumers).start();
    // then
    await waitFor(() => got(application).length === 1, { what: 'the message that waited' });
    expect(running(application)).toEqual([true, true]);
    // and a stop holds until the next start
    await application.get(Consumers).stop();
    expect(running(application)).toEqual([false, false]);
    await application.close();
  });
});

describe("with startConsumers 'listening', an application", () => {
  it('without an HTTP server begins when it is ready', async () => {
    // given
    const options = connectionTo(redis, { startConsumers: 'listening' });
    const module = await Test.createTestingModule({
      ...metadata,
      imports: [MillraceModule.forRoot(options), ...metadata.imports],
    }).compile();
    // when: a testing module is an application of its own, without HTTP
    await module.init();
    await module.get(Millrace).broker.sendToQueue('work', 'hello');
    // then
    await waitFor(() => got(module).length === 1, { what: 'the message' });
    await module.close();
  });

  it.each(withoutHttp)(
    'that is made by NestFactory without an HTTP server (%s) begins when it is ready',
    async (_, start) => {
      // given
      const options = connectionTo(redis, { startConsumers: 'listening' });
      // when
      const application = await start({ ...metadata, imports: [MillraceModule.forRoot(options), ...metadata.imports] });
      await application.get(Millrace).broker.sendToQueue('work', 'hello');
      await application.get(Millrace).producer.send({ topic: 'work', value: 'hello' });
      // then
      await waitFor(() => got(application).length === 2, { what: 'both messages' });
      await application.close();
    },
  );

  it('that is closed before it listens never begins', async () => {
    // given
    const options = connectionTo(redis, { startConsumers: 'listening' });
    const application = await createApplication(options, metadata);
    await application.init();
    await send(application, 'queue', 'hello');
    // when
    await application.close();
    // then
    expect(running(application)).toEqual([false, false]);
    expect(got(application)).toEqual([]);
    await expect(application.get(Consumers).start()).rejects.toThrow(ClosedError);
  });
});
