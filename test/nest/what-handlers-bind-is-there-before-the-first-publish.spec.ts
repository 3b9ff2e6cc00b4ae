import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Consumers, LogHandler, Millrace, type MillraceModuleInput, QueueHandler } from '@millrace/nestjs';
import { MillraceClient, MillraceServer } from '@millrace/nestjs/transport';
import { freePort, type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import {
  Controller,
  type INestApplication,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import { EventPattern } from '@nestjs/microservices';
import { firstValueFrom } from 'rxjs';
import { connectionTo, createApplication } from './application.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

const got: unknown[] = [];

/** Only handlers declare these sources: queue, binding and topic. */
@Injectable()
class Mailer {
  @QueueHandler({ queue: 'emails', bind: [{ exchange: 'events', routingKey: 'user.*' }] })
  onEvent(payload: unknown): void {
    got.push(payload);
  }

  @QueueHandler({ queue: 'direct' })
  onMessage(payload: unknown): void {
    got.push(payload);
  }

  @LogHandler({ topic: { name: 'orders', partitions: 2 }, group: 'mail' })
  onRecord(payload: unknown): void {
    got.push(payload);
  }
}

/** The ways a message can take to them. */
const ways = {
  publish: ({ broker }: Millrace): Promise<unknown> =>
    broker.publish('events', 'user.created', 'hello', { mandatory: true }),
  publishBatch: ({ broker }: Millrace): Promise<unknown> =>
    broker.publishBatch([
      { exchange: 'events', routingKey: 'user.created', body: 'hello', properties: { mandatory: true } },
    ]),
  sendToQueue: ({ broker }: Millrace): Promise<unknown> => broker.sendToQueue('direct', 'hello'),
  request: ({ broker }: Millrace): Promise<unknown> =>
    broker.request('events', 'user.created', 'hello', { timeoutMs: 20_000 }),
  send: ({ producer }: Millrace): Promise<unknown> => producer.send({ topic: 'orders', value: 'hello' }),
  sendBatch: ({ producer }: Millrace): Promise<unknown> => producer.sendBatch([{ topic: 'orders', value: 'hello' }]),
} satisfies Record<string, (millrace: Millrace) => Promise<unknown>>;
type Way = keyof typeof ways;
const all = Object.keys(ways) as Way[];
/** A request gets its reply only when consumers run. */
const unanswered = all.filter((way) => way !== 'request');

async function made(
  options: MillraceModuleInput,
  providers: NonNullable<Parameters<typeof createApplication>[1]>['providers'] = [],
): Promise<INestApplication> {
  got.length = 0;
  return createApplication(
    { exchanges: [{ name: 'events', type: 'topic' }], ...options },
    {
      providers: [Mailer, ...providers],
    },
  );
}

describe('on a Redis that knows nothing yet, what a handler binds is there', () => {
  it.each(unanswered)('for a %s in onModuleInit', async (way) => {
    // given
    @Injectable()
    class Early implements OnModuleInit {
      constructor(readonly millrace: Millrace) {}
      async onModuleInit(): Promise<void> {
        await ways[way](this.millrace);
      }
    }
    const application = await made(connectionTo(redis), [Early]);
    // when
    await application.init();
    // then
    await waitFor(() => got.length === 1, { what: 'the message of the hook' });
    await application.close();
  });

  it('for many publishes of one hook, each once and in their order', async () => {
    // given
    @Injectable()
    class Early implements OnModuleInit {
      constructor(readonly millrace: Millrace) {}
      async onModuleInit(): Promise<void> {
        const { broker } = this.millrace;
        await Promise.all(Array.from({ length: 50 }, (_, n) => broker.publish('events', 'user.created', n)));
      }
    }
    const application = await made(connectionTo(redis), [Early]);
    // when
    await application.init();
    // then
    await waitFor(() => got.length === 50, { what: 'all messages of the hook' });
    expect(got).toEqual(Array.from({ length: 50 }, (_, n) => n));
    await application.close();
  });

  it.each(unanswered)('for a %s in onApplicationBootstrap', async (way) => {
    // given
    @Injectable()
    class Early implements OnApplicationBootstrap {
      constructor(readonly millrace: Millrace) {}
      async onApplicationBootstrap(): Promise<void> {
        await ways[way](this.millrace);
      }
    }
    const application = await made(connectionTo(redis), [Early]);
    // when
    await application.init();
    // then
    await waitFor(() => got.length === 1, { what: 'the message of the hook' });
    await application.close();
  });

  it.each(all)("for a %s after listen(), with startConsumers 'listening'", async (way) => {
    // given
    const application = await made(connectionTo(redis, { startConsumers: 'listening' }));
    await application.listen(0, '127.0.0.1');
    // when
    await ways[way](application.get(Millrace));
    // then
    await waitFor(() => got.length === 1, { what: 'the message' });
    await application.close();
  });

  it("in a process that starts no consumer, with startConsumers 'manual'", async () => {
    // given
    const application = await made(connectionTo(redis, { startConsumers: 'manual' }));
    await application.init();
    // when
    for (const way of ['publish', 'sendToQueue', 'send'] as const) await ways[way](application.get(Millrace));
    await application.get(Consumers).start();
    // then
    await waitFor(() => got.length === 3, { what: 'the messages that waited' });
    await application.close();
  });

  it('in a module that was loaded lazily, once discover() has resolved', async () => {
    // given
    const application = await made(connectionTo(redis, { startConsumers: 'manual' }));
    await application.init();
    await ways.publish(application.get(Millrace));
    @Injectable()
    class Late {
      @QueueHandler({ queue: 'late', bind: [{ exchange: 'events', routingKey: 'late.*' }] })
      onEvent(payload: unknown): void {
        got.push(payload);
      }
    }
    class LateModule {}
    // when
    await application.get(LazyModuleLoader).load(() => ({ module: LateModule, providers: [Late] }));
    await application.get(Consumers).discover();
    await application.get(Millrace).broker.publish('events', 'late.one', 'late', { mandatory: true });
    await application.get(Consumers).start();
    // then
    await waitFor(() => got.includes('late'), { what: 'the message for the late handler' });
    await application.close();
  });

  it("when Redis comes later than the application, with waitForRedis 'background'", async () => {
    // given
    const port = await freePort();
    const application = await made(connectionTo({ url: `redis://127.0.0.1:${port}` }, { waitForRedis: 'background' }));
    await application.init();
    // when
    const published = ways.publish(application.get(Millrace));
    await startRedis({ port });
    await published;
    // then
    await waitFor(() => got.length === 1, { what: 'the message' });
    await application.close();
  });

  it('for an event of a transport that shares the connection, before it listens', async () => {
    // given
    @Controller()
    class Events {
      @EventPattern('user.created')
      onUser(payload: unknown): void {
        got.push(payload);
      }
    }
    @Injectable()
    class Early implements OnModuleInit {
      constructor(readonly millrace: Millrace) {}
      async onModuleInit(): Promise<void> {
        const client = new MillraceClient({ connection: this.millrace });
        await firstValueFrom(client.emit('user.created', 'hello'), { defaultValue: undefined });
      }
    }
    got.length = 0;
    const application = await createApplication(connectionTo(redis), { controllers: [Events], providers: [Early] });
    application.connectMicroservice({
      strategy: new MillraceServer({ connection: application.get(Millrace), queue: 'service' }),
    });
    // when
    await application.init();
    await application.startAllMicroservices();
    // then
    await waitFor(() => got.length === 1, { what: 'the event of the hook' });
    await application.close();
  });
});

describe('a handler that is wrong', () => {
  it('fails the first publish and the start, with every problem', async () => {
    // given
    @Injectable()
    class Wrong implements OnModuleInit {
      failure: unknown;
      constructor(readonly millrace: Millrace) {}

      @QueueHandler({ queue: 'q', prefetsh: 3 } as never)
      onMessage(): void {}

      async onModuleInit(): Promise<void> {
        this.failure = await ways.publish(this.millrace).catch((error: unknown) => error);
      }
    }
    const application = await made(connectionTo(redis), [Wrong]);
    const problems = ['Wrong.onMessage: unknown option prefetsh (did you mean "prefetch"?)'];
    // when
    const start = application.init();
    // then
    await expect(start).rejects.toMatchObject({ problems });
    expect(application.get(Wrong).failure).toMatchObject({ problems });
    await application.close();
  });
});
