import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type ExchangePublisher,
  InjectExchange,
  InjectQueue,
  Millrace,
  MillraceModule,
  QueueHandler,
  type QueueSender,
} from '@millrace/nestjs';
import { MillraceClient, MillraceRecord, MillraceServer } from '@millrace/nestjs/transport';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { Controller, type INestApplication, Injectable } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { firstValueFrom } from 'rxjs';
import { connectionTo, createApplication } from './application.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

const attempts: unknown[] = [];

function fail(payload: unknown): never {
  attempts.push(payload);
  throw new Error('no');
}

@Injectable()
class Desk {
  constructor(
    @InjectQueue('work') readonly queue: QueueSender,
    @InjectExchange('events') readonly exchange: ExchangePublisher,
  ) {}

  @QueueHandler({
    queue: 'work',
    bind: [{ exchange: 'events', routingKey: '#' }],
    retry: { maxRetries: 1, backoff: 0 },
  })
  onMessage(payload: unknown): void {
    fail(payload);
  }
}

@Controller()
class Events {
  @EventPattern<string>('order.created', { retry: { maxRetries: 1, backoff: 0 } })
  onOrder(@Payload() payload: unknown): void {
    fail(payload);
  }
}

const retry = { maxRetries: 2, backoff: 0 };

describe('how often a message is retried', () => {
  let application: INestApplication;
  let client: MillraceClient;
  const dead: unknown[] = [];

  beforeAll(async () => {
    application = await createApplication(connectionTo(redis), {
      imports: [MillraceModule.forFeature({ queues: ['work'], exchanges: [{ name: 'events', type: 'topic' }] })],
      providers: [Desk],
      controllers: [Events],
    });
    const millrace = application.get(Millrace);
    application.connectMicroservice({ strategy: new MillraceServer({ connection: millrace, queue: 'service' }) });
    await application.init();
    await application.startAllMicroservices();
    client = new MillraceClient({ connection: millrace });
    millrace.events.on('dead-lettered', ({ reason }) => dead.push(reason));
  });
  afterAll(async () => {
    await client.close();
    await application.close();
  });

  it.each<[string, (desk: Desk, payload: string, said: object) => Promise<unknown>]>([
    ['a queue', ({ queue }, payload, said) => queue.send(payload, said)],
    ['an exchange', ({ exchange }, payload, said) => exchange.publish('any', payload, said)],
    [
      'a client of the transport',
      (_desk, payload, said) => firstValueFrom(client.emit('order.created', new MillraceRecord(payload, said))),
    ],
  ])('is what it says itself, sent to %s; else what its handler says', async (_where, send) => {
    // given
    const desk = application.get(Desk);
    attempts.length = 0;
    dead.length = 0;
    // when
    await send(desk, 'own', { retry });
    await send(desk, 'usual', {});
    await waitFor(() => dead.length === 2, { what: 'both to be given up' });
    // then
    expect([...attempts].sort()).toEqual(['own', 'own', 'own', 'usual', 'usual']);
    expect(dead).toEqual(['failed', 'failed']);
  });
});
