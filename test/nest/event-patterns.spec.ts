import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Millrace, type MillraceModuleInput } from '@millrace/nestjs';
import {
  MillraceClient,
  type MillraceContext,
  MillraceRecord,
  MillraceServer,
  millraceTransport,
} from '@millrace/nestjs/transport';
import type { MessageContext } from '@millrace/queue';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { Controller, type INestMicroservice } from '@nestjs/common';
import { Ctx, EventPattern, Payload, Transport } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { firstValueFrom, type Observable, of } from 'rxjs';
import { closeDuringHandler, connectionTo, createApplication } from './application.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

const seen: string[] = [];

class NotYet extends Error {}

@Controller()
class Events {
  @EventPattern<string>('order.created')
  onCreated(@Payload('id') id: string, @Ctx() context: MillraceContext): void {
    seen.push(`created ${id} ${context.getPattern()}`);
  }

  @EventPattern<string>('order.*', millraceTransport)
  onOrder(): Observable<string> {
    seen.push('any order');
    return of('a stream', 'is waited for');
  }

  @EventPattern<string>('order.#', Transport.KAFKA)
  onKafka(): void {
    seen.push('not for this transport');
  }

  @EventPattern<object>({ cmd: 'pay', version: 1 })
  onPay(amount: number): void {
    seen.push(`pay ${amount}`);
  }

  @EventPattern<string>('flaky', {
    retry: { maxRetries: 2, backoff: 0, rules: [{ when: NotYet, do: { maxRetries: 1, backoff: 0 } }] },
  })
  onFlaky(@Ctx() context: MillraceContext): void {
    seen.push(`flaky ${context.getMessage<MessageContext>().attempt}`);
    throw new NotYet('original');
  }

  @EventPattern<string>('readings', { group: 'meter', from: 'earliest' })
  onReading(@Payload() value: number, @Ctx() context: MillraceContext): void {
    seen.push(`reading ${value} of ${context.getPattern()}`);
  }
}

describe('@EventPattern over MillraceServer', () => {
  let service: INestMicroservice;
  let client: MillraceClient;
  let server: MillraceServer;
  const { connection } = connectionTo({ url: 'redis://127.0.0.1:1' });

  beforeAll(async () => {
    const place = { ...connection, url: redis.url };
    client = new MillraceClient({ connection: place });
    await (await client.connect()).log.declareTopic({ name: 'readings' });
    server = new MillraceServer({ connection: place, queue: 'shop' });
    const module = await Test.createTestingModule({ controllers: [Events] }).compile();
    service = module.createNestMicroservice({ strategy: server, logger: false });
    await service.listen();
  });
  afterAll(async () => {
    await client.close();
    await service.close();
  });

  it('runs every handler whose pattern matches, by AMQP rules, and no other', async () => {
    // when
    seen.length = 0;
    await firstValueFrom(client.emit('order.created', { id: 'a' }));
    await firstValueFrom(client.emit('order.paid.twice', { id: 'b' }));
    await firstValueFrom(client.emit({ version: 1, cmd: 'pay' }, 5));
    await waitFor(() => seen.length >= 3, { what: 'three handlers' });
    // then
    expect(seen.sort()).toEqual(['any order', 'created a order.created', 'pay 5']);
  });

  it('retries a failing handler by the policy for the error it really threw, then keeps the event', async () => {
    // given
    seen.length = 0;
    const deaths: unknown[] = [];
    server.unwrap().events.on('dead-lettered', ({ error }) => deaths.push(error));
    // when
    await firstValueFrom(client.emit('flaky', new MillraceRecord('x', { headers: { tenant: 'a' } })));
    await waitFor(() => deaths.length === 1, { what: 'the dead letter' });
    // then
    expect(seen).toEqual(['flaky 1', 'flaky 2']);
    expect(deaths[0]).toBeInstanceOf(NotYet);
  });

  it('reads topics when the decorator names a group', async () => {
    // when
    seen.length = 0;
    await firstValueFrom(client.emit({ topic: 'readings', key: 'm1' }, 42));
    await waitFor(() => seen.length === 1, { what: 'the reading' });
    // then
    expect(seen).toEqual(['reading 42 of readings']);
  });

  it('understands producers that know nothing of Nest', async () => {
    // when
    seen.length = 0;
    await server.unwrap().broker.publish('nest', 'order.created', { id: 'raw' });
    await waitFor(() => seen.length === 2, { what: 'both handlers' });
    // then
    expect(seen.sort()).toEqual(['any order', 'created raw order.created']);
  });

  it('has a status, and gives access to its Millrace objects', async () => {
    expect(await firstValueFrom(server.status)).toBe('connected');
    expect(server.transportId).toBe(millraceTransport);
    expect(server.unwrap()).toBeInstanceOf(Millrace);
    expect(client.unwrap().connection.isUp).toBe(true);
  });
});

describe.each(['hybrid application', 'microservice'])('the shutdown of a %s', (kind) => {
  const order: string[] = [];
  let finish: () => void = () => undefined;
  let beforeWork: () => Promise<void>;

  @Controller()
  class Slow {
    @EventPattern<string>('slow')
    async onSlow(): Promise<void> {
      await beforeWork();
      order.push('begun');
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      order.push('ended');
    }

    onModuleDestroy(): void {
      order.push('destroyed');
    }
  }

  interface Started {
    readonly server: MillraceServer;
    close(): Promise<void>;
  }

  async function start(options: MillraceModuleInput): Promise<Started> {
    order.length = 0;
    beforeWork = async () => undefined;
    if (kind === 'microservice') {
      const module = await Test.createTestingModule({ controllers: [Slow] }).compile();
      const server = new MillraceServer({ connection: options.connection, queue: 'slow' });
      const service = module.createNestMicroservice({ strategy: server, logger: false });
      await service.listen();
      return { server, close: () => service.close() };
    }
    const application = await createApplication(options, { controllers: [Slow] });
    const server = new MillraceServer({ connection: application.get(Millrace), queue: 'slow' });
    application.connectMicroservice({ strategy: server });
    await application.startAllMicroservices();
    await application.init();
    return { server, close: () => application.close() };
  }

  async function closeWhileItHandles({ connection }: MillraceModuleInput, close: () => Promise<void>): Promise<void> {
    const client = new MillraceClient({ connection });
    await firstValueFrom(client.emit('slow', {}));
    await waitFor(() => order.length === 1, { what: 'the handler to begin' });
    await closeDuringHandler(redis, { close, finish: () => finish() });
    await client.close();
  }

  it('drains the events of its server before any provider is destroyed', async () => {
    // given
    const options = connectionTo(redis);
    const { close } = await start(options);
    // when
    await closeWhileItHandles(options, close);
    // then
    expect(order).toEqual(['begun', 'ended', 'destroyed']);
  });

  it('waits for a handler that closed its own server', async () => {
    // given
    const options = connectionTo(redis);
    const { server, close } = await start(options);
    beforeWork = () => server.close();
    // when
    await closeWhileItHandles(options, close);
    // then
    expect(order).toEqual(['begun', 'ended', 'destroyed']);
  });
});
