import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ClosedError, endsWithin } from '@millrace/core';
import { type ConsumerHandle, Consumers, LogHandler, Millrace, QueueHandler } from '@millrace/nestjs';
import { MillraceServer } from '@millrace/nestjs/transport';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import {
  type BeforeApplicationShutdown,
  type INestApplication,
  Injectable,
  Module,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { closeDuringHandler, connectionTo, createApplication, someReplies, startApplication } from './application.js';
import { type Channel, channels, channelsModule, send } from './channels.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

const seen: string[] = [];
let finish: () => void = () => undefined;

@Injectable()
class Database implements OnModuleDestroy, OnApplicationBootstrap {
  #isOpen = true;

  async onApplicationBootstrap(): Promise<void> {
    await someReplies(redis);
    seen.push('bootstrapped');
  }

  write(): void {
    if (!this.#isOpen) throw new Error('the pool is closed');
    seen.push('written');
  }

  onModuleDestroy(): void {
    this.#isOpen = false;
    seen.push('closed');
  }
}

@Module({ providers: [Database], exports: [Database] })
class DatabaseModule {}

async function writeWhenFinished(database: Database): Promise<void> {
  seen.push('begun');
  await new Promise<void>((resolve) => {
    finish = resolve;
  });
  database.write();
}

@Injectable()
class SelfStopping {
  constructor(
    private readonly database: Database,
    private readonly consumers: Consumers,
  ) {}

  @QueueHandler({ queue: 'work' })
  onMessage(): Promise<void> {
    return this.#handle('SelfStopping.onMessage');
  }

  @LogHandler({ topic: 'work', group: 'stopping' })
  onRecord(): Promise<void> {
    return this.#handle('SelfStopping.onRecord');
  }

  async #handle(handler: string): Promise<void> {
    await this.consumers.find(handler)?.stop();
    seen.push('stopped');
    await writeWhenFinished(this.database);
  }
}

@Injectable()
class Slow {
  constructor(private readonly database: Database) {}

  @QueueHandler({ queue: 'work' })
  @LogHandler({ topic: 'work', group: 'slow' })
  async onMessage(): Promise<void> {
    await writeWhenFinished(this.database);
  }
}

/** Resolves when the handler of a new message has begun. */
async function sendAndAwaitHandler(application: INestApplication, channel: Channel): Promise<void> {
  await send(application, channel, {});
  await waitFor(() => seen.includes('begun'), { what: 'the handler to begin' });
}

/** Closes the application while its handler runs; `close`: how. */
async function closeWhileItHandles(
  application: INestApplication,
  close = (): Promise<unknown> => application.close(),
): Promise<void> {
  await closeDuringHandler(redis, { close, finish: () => finish() });
}

describe.each(channels)('the shutdown of an application that handles a %s', (channel) => {
  it.each([
    ['in a module of its own', { imports: [DatabaseModule], providers: [Slow] }],
    ['in the root module', { imports: [], providers: [Database, Slow] }],
  ])('lets handlers end while the database is open, the database being %s', async (_where, metadata) => {
    // given
    seen.length = 0;
    const application = await startApplication(connectionTo(redis), {
      ...metadata,
      imports: [channelsModule(), ...metadata.imports],
    });
    await sendAndAwaitHandler(application, channel);
    // when
    await closeWhileItHandles(application);
    // then
    expect(seen).toEqual(['bootstrapped', 'begun', 'written', 'closed']);
  });

  it('lets a handler end that stopped its own consumer', async () => {
    // given
    seen.length = 0;
    const metadata = { imports: [channelsModule(), DatabaseModule], providers: [SelfStopping] };
    const application = await startApplication(connectionTo(redis), metadata);
    await sendAndAwaitHandler(application, channel);
    // when
    await closeWhileItHandles(application);
    // then
    expect(seen).toEqual(['bootstrapped', 'stopped', 'begun', 'written', 'closed']);
  });

  it('ends by its deadline when a handler does not, and the message is handled elsewhere', async () => {
    // given
    seen.length = 0;
    const options = connectionTo(redis, { shutdownDeadlineMs: 50 });
    const metadata = { imports: [channelsModule(), DatabaseModule], providers: [Slow] };
    const application = await startApplication(options, metadata);
    await sendAndAwaitHandler(application, channel);
    // when
    const isInTime = await endsWithin(application.close(), 6000);
    // then: long before the deadline that it has by default, 8 s
    expect(isInTime).toBe(true);
    expect(seen).toEqual(['bootstrapped', 'begun', 'closed']);
    const other = await startApplication(options, metadata);
    await waitFor(() => seen.filter((word) => word === 'begun').length === 2, { what: 'the second delivery' });
    finish();
    await other.close();
  });
});

describe.each(channels)('a run-time subscription to a %s', (channel) => {
  const metadata = { imports: [channelsModule(), DatabaseModule] };

  function subscribe(
    application: INestApplication,
    begin: () => Promise<void> = async () => undefined,
  ): Promise<ConsumerHandle> {
    const consumers = application.get(Consumers);
    const database = application.get(Database);
    const handle = async (): Promise<void> => {
      await begin();
      await writeWhenFinished(database);
    };
    return channel === 'queue'
      ? consumers.subscribeQueue({ queue: 'work' }, handle)
      : consumers.subscribeLog({ topic: 'work', group: 'late' }, handle);
  }

  it('that was stopped and started again is drained as any other', async () => {
    // given
    seen.length = 0;
    const application = await startApplication(connectionTo(redis), metadata);
    const subscription = await subscribe(application);
    await subscription.stop();
    await subscription.start();
    expect(application.get(Consumers).all).toEqual([subscription]);
    await sendAndAwaitHandler(application, channel);
    // when
    await closeWhileItHandles(application);
    // then
    expect(seen).toEqual(['bootstrapped', 'begun', 'written', 'closed']);
  });

  it('that is being stopped when the shutdown comes is drained too', async () => {
    // given
    seen.length = 0;
    const application = await startApplication(connectionTo(redis), metadata);
    const subscription = await subscribe(application);
    await sendAndAwaitHandler(application, channel);
    // when
    await closeWhileItHandles(application, () => Promise.all([subscription.stop(), application.close()]));
    // then
    expect(seen).toEqual(['bootstrapped', 'begun', 'written', 'closed']);
  });

  it('that its own handler stops is drained too', async () => {
    // given
    seen.length = 0;
    const application = await startApplication(connectionTo(redis), metadata);
    const subscription: ConsumerHandle = await subscribe(application, async () => {
      await subscription.stop();
      seen.push('stopped');
    });
    await sendAndAwaitHandler(application, channel);
    // when
    await closeWhileItHandles(application);
    // then
    expect(seen).toEqual(['bootstrapped', 'stopped', 'begun', 'written', 'closed']);
  });

  it('cannot be started when the application has shut down, since it would not be drained', async () => {
    // given
    const application = await startApplication(connectionTo(redis), metadata);
    const subscription = await subscribe(application);
    await subscription.stop();
    await application.close();
    // when
    const start = subscription.start();
    // then
    await expect(start).rejects.toThrow(ClosedError);
  });
});

describe.each(channels)('consumers of a %s', (channel) => {
  it('start when every module has bootstrapped', async () => {
    // given a message that waits
    seen.length = 0;
    const options = connectionTo(redis);
    const sending = await startApplication(options, { imports: [channelsModule()] });
    await send(sending, channel, {});
    await sending.close();
    // when an application starts whose root module takes its time
    const metadata = { imports: [channelsModule()], providers: [Database, Slow] };
    const application = await startApplication(options, metadata);
    await waitFor(() => seen.includes('begun'), { what: 'the handler to begin' });
    // then
    expect(seen).toEqual(['bootstrapped', 'begun']);
    await closeWhileItHandles(application);
  });
});

describe('consumers', () => {
  it('can be closed before they ever started', async () => {
    // given
    seen.length = 0;
    const application = await createApplication(connectionTo(redis), {
      imports: [channelsModule(), DatabaseModule],
      providers: [Slow],
    });
    // when
    await application.close();
    // then
    expect(seen).toEqual(['closed']);
  });
});

describe.each(channels)('a consumer of a %s', (channel) => {
  it('that is still starting when the application closes never begins', async () => {
    // given a shutdown that takes its time after consumers were stopped, a message that waits, and a consumer that starts
    seen.length = 0;
    let starting = Promise.resolve();
    @Injectable()
    class Last implements BeforeApplicationShutdown {
      async beforeApplicationShutdown(): Promise<void> {
        await starting;
        await someReplies(redis);
      }
    }
    const options = connectionTo(redis, { startConsumers: 'manual', shutdownDeadlineMs: 500 });
    const metadata = { imports: [channelsModule(), DatabaseModule], providers: [Slow, Last] };
    const application = await startApplication(options, metadata);
    await send(application, channel, {});
    const consumer = application.get(Consumers).all.find(({ group }) => (group !== undefined) === (channel === 'log'));
    await redis.freeze();
    starting = consumer?.start().catch(() => undefined) ?? starting;
    // when
    const closing = application.close();
    await waitFor(() => consumer?.isRunning === false, { what: 'the consumer to be stopped' });
    redis.thaw();
    await closing;
    // then
    expect(seen).toEqual(['bootstrapped', 'closed']);
  });
});

describe('what lingers in a producer', () => {
  it('is sent at the shutdown', async () => {
    // given
    const options = connectionTo(redis, { producer: { lingerMs: 20_000 } });
    const application = await startApplication(options, { imports: [channelsModule()] });
    const sending = application.get(Millrace).producer.send({ topic: 'work', value: 'last words' });
    // when
    await application.close();
    // then
    expect(await sending).toMatchObject({ topic: 'work', offset: 0 });
  });
});

describe('a send that is pending while Redis is away', () => {
  it('does not hold the shutdown beyond its deadline, and fails', async () => {
    // given
    const own = await startRedis();
    const options = connectionTo(own, { shutdownDeadlineMs: 1 });
    const application = await startApplication(options, { imports: [channelsModule()] });
    for (const channel of channels) await send(application, channel, 'written');
    await own.kill();
    await waitFor(() => !application.get(Millrace).connection.isUp, { what: 'the outage to be noticed' });
    const pending = Promise.allSettled(channels.map((channel) => send(application, channel, 'last words')));
    // when: far below deliveryTimeoutMs
    const isClosed = await endsWithin(application.close(), 15_000);
    // then
    expect(isClosed).toBe(true);
    const failed = { status: 'rejected', reason: { code: 'WRITE', mayBeWritten: false } };
    expect(await pending).toMatchObject([failed, failed]);
  });

  it('does not hold a transport with its own connection beyond its own deadline', async () => {
    // given
    const own = await startRedis();
    const server = new MillraceServer({ connection: own.connection, queue: 'asked', shutdownDeadlineMs: 1 });
    const module = await Test.createTestingModule({}).compile();
    const service = module.createNestMicroservice({ strategy: server, logger: false });
    await service.listen();
    const { broker, connection } = server.unwrap();
    await broker.declareQueue({ name: 'work' });
    await broker.sendToQueue('work', 'written');
    await own.kill();
    await waitFor(() => !connection.isUp, { what: 'the outage to be noticed' });
    const pending = Promise.allSettled([broker.sendToQueue('work', 'last words')]);
    // when: below the default of a connection
    const isClosed = await endsWithin(service.close(), 5_000);
    // then
    expect(isClosed).toBe(true);
    expect(await pending).toMatchObject([{ status: 'rejected', reason: { code: 'WRITE', mayBeWritten: false } }]);
  });
});
