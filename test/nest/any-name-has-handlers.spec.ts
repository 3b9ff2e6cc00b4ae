import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Consumers,
  getQueueToken,
  InjectProducer,
  InjectQueue,
  LogHandler,
  Millrace,
  MillraceHealth,
  MillraceModule,
  QueueHandler,
  type QueueSender,
  type TopicProducer,
} from '@millrace/nestjs';
import { MillraceClient, MillraceServer } from '@millrace/nestjs/transport';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { Controller, Injectable } from '@nestjs/common';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { firstValueFrom } from 'rxjs';
import { awkwardNames } from '../names.js';
import { connectionTo, startApplication } from './application.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

describe('any name', () => {
  it.each(awkwardNames)('has handlers, providers and a place in the health report: %j', async (name) => {
    // given
    const seen: unknown[] = [];
    @Injectable()
    class Desk {
      constructor(
        @InjectProducer(name) readonly producer: TopicProducer,
        @InjectQueue(name) readonly queue: QueueSender,
      ) {}

      @QueueHandler({ queue: name, bind: [{ exchange: name, routingKey: name }] })
      onMessage(payload: unknown): void {
        seen.push(payload);
      }

      @LogHandler({ topic: name, group: name, from: 'earliest' })
      onRecord(value: unknown): void {
        seen.push(value);
      }
    }
    const declared = { topics: [{ name }], queues: [{ name }], exchanges: [{ name, type: 'direct' as const }] };
    const application = await startApplication(connectionTo(redis), {
      imports: [MillraceModule.forFeature(declared)],
      providers: [Desk],
    });
    // when
    const desk = application.get(Desk);
    await application.get(Millrace).broker.publish(name, name, 'a message');
    await desk.queue.send('another');
    await desk.producer.send({ value: 'a record' });
    // then
    await waitFor(() => seen.length === 3, { what: 'all three' });
    expect(seen.sort()).toEqual(['a message', 'a record', 'another']);
    expect(application.get(Consumers).find('Desk.onMessage')?.plan.source).toBe(`queue "${name}"`);
    const health = application.get(MillraceHealth);
    await waitFor(async () => (await health.check()).lag === 0, { what: 'the commit' });
    expect(await health.check()).toMatchObject({ status: 'up', problems: [] });
    await application.get(Millrace).broker.queue(name).pause();
    expect((await health.check()).problems).toEqual([`queue ${name} is paused`]);
    await application.close();
  });

  it('is that of a transport’s service, exchange, topic and patterns', async () => {
    // given
    const seen: unknown[] = [];
    @Controller()
    class Weather {
      @EventPattern<string>('A:B {c}')
      onEvent(data: unknown): void {
        seen.push(data);
      }

      @EventPattern<string>('resource.*.updated', { group: 'queued weather', from: 'earliest' })
      onRecord(data: unknown): void {
        seen.push(data);
      }

      @MessagePattern('sum: *')
      onRequest(data: readonly number[]): number {
        return data.reduce((sum, number) => sum + number, 0);
      }
    }
    const { connection } = connectionTo(redis);
    const client = new MillraceClient({ connection, exchange: 'events:{eu}' });
    await (await client.connect()).log.declareTopic({ name: 'resource.*.updated' });
    const strategy = new MillraceServer({ connection, queue: 'queued weather', exchange: 'events:{eu}' });
    const module = await Test.createTestingModule({ controllers: [Weather] }).compile();
    const service = module.createNestMicroservice({ strategy, logger: false });
    await service.listen();
    // when
    await firstValueFrom(client.emit('A:B {c}', 'an event'));
    await firstValueFrom(client.emit({ topic: 'resource.*.updated' }, 'a record'));
    const sum = await firstValueFrom(client.send<number>('sum: *', [1, 2]));
    // then
    expect(sum).toBe(3);
    await waitFor(() => seen.length === 2, { what: 'both' });
    expect(seen.sort()).toEqual(['a record', 'an event']);
    await client.close();
    await service.close();
  });

  it('of a connection is no part of the token of another', async () => {
    // given
    const application = await startApplication(connectionTo(redis), {
      imports: [
        MillraceModule.forRoot({ name: 'a', ...connectionTo(redis) }),
        MillraceModule.forRoot({ name: 'a:queue:b', ...connectionTo(redis) }),
        MillraceModule.forFeature({ connection: 'a', queues: [{ name: 'b:queue:c' }] }),
        MillraceModule.forFeature({ connection: 'a:queue:b', queues: [{ name: 'c' }] }),
      ],
    });
    // when, then
    const queues = [getQueueToken('b:queue:c', 'a'), getQueueToken('c', 'a:queue:b')];
    expect(queues.map((token) => application.get<QueueSender>(token, { strict: false }).queue)).toEqual([
      'b:queue:c',
      'c',
    ]);
    await application.close();
  });
});
