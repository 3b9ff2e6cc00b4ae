import { expect } from '@jest/globals';
import { ValidationError } from '@millrace/core';
import { LogHandler, Millrace, MillraceModule, QueueHandler, type TopicHandle } from '@millrace/nestjs';
import { MillraceClient } from '@millrace/nestjs/transport';
import { waitFor } from '@millrace/testing';
import { Controller, type INestMicroservice, Module, type Type } from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';
import { TerminusModule } from '@nestjs/terminus';
import { trace } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { firstValueFrom } from 'rxjs';
import type { Desk } from '../desk.js';
import type { Scenes } from '../scene.js';

/** Blocks of Nest applications, and of what is around them. */
export const nestScenes: Scenes = {
  'docs/handlers.md#1': {
    async check(desk, of) {
      const application = await desk.start(of<Type>('ShopModule'));
      const { log, broker } = application.get(Millrace);
      expect(await log.describeTopic('orders')).toMatchObject({ partitions: 8 });
      expect(await broker.queue('emails').counts()).toMatchObject({ ready: 0 });
    },
  },
  'docs/handlers.md#2': {
    async check(desk, of) {
      const { orders, emails } = given();
      const imports = [MillraceModule.forFeature({ topics: [orders], queues: [emails] })];
      const exchanges = [{ name: 'events', type: 'topic' as const }];
      const application = await desk.application({ imports, providers: [of<Type>('OrderHandlers')] }, { exchanges });
      const handled: string[] = [];
      application.get(Millrace).events.on('handled', ({ handler, outcome }) => handled.push(`${handler} ${outcome}`));
      // when
      await desk.producer.send({ topic: 'orders', value: { total: 5 } });
      await desk.producer.send({ topic: 'orders', value: { total: 'no number' } });
      await desk.broker.publish('events', 'user.created', { to: 'ada@example.org' });
      // then
      const all = ['OrderHandlers.bill completed', 'OrderHandlers.look completed', 'OrderHandlers.send completed'];
      const areThrough = () => all.every((one) => handled.includes(one));
      await waitFor(areThrough, { what: `${all} to be among ${handled}` });
    },
  },
  'docs/handlers.md#3': {
    async check(desk, of) {
      const { orders, emails, events } = given();
      const imports = [MillraceModule.forFeature({ topics: [orders], queues: [emails], exchanges: [events] })];
      const application = await desk.application({ imports, providers: [of<Type>('Shop')] });
      const { placed } = application.get<{ placed: TopicHandle }>(of<Type>('Shop'));
      expect(await placed.send({ value: { total: 5 } })).toMatchObject({ topic: 'orders' });
      await expect(placed.send({ value: { total: 'no number' } })).rejects.toThrow(ValidationError);
    },
  },
  'docs/handlers.md#4': {
    async check(desk, of) {
      const { orders, emails } = given();
      class Mailer {
        @QueueHandler({ queue: 'emails' })
        send({ to }: { to: string }) {
          return `sent to ${to}`;
        }
      }
      const imports = [MillraceModule.forFeature({ topics: [orders], queues: [emails] })];
      const providers = [of<Type>('Office'), Mailer];
      const application = await desk.application({ imports, providers });
      const office = application.get<{ [way: string]: () => Promise<unknown> }>(of<Type>('Office'));
      expect(await office.useTopic?.()).toMatchObject({ redriven: 0, stuck: 0 });
      expect(await office.useQueue?.()).toMatchObject({ reply: 'sent to ada', report: { redriven: 0 } });
    },
  },
  'docs/handlers.md#5': {
    async check(desk, of) {
      const imports = [TerminusModule];
      const application = await desk.application({ imports, controllers: [of<Type>('HealthController')] });
      const controller = application.get<{ check(): Promise<unknown> }>(of<Type>('HealthController'));
      expect(await controller.check()).toMatchObject({ status: 'ok', details: { millrace: { status: 'up' } } });
    },
  },
  'docs/handlers.md#6': {
    async before(desk) {
      class OrderHandlers {
        @LogHandler({ topic: 'orders', group: 'billing' })
        bill() {}
      }
      appModule({ imports: [millrace(desk)], providers: [OrderHandlers] });
    },
    // The block has its own expectations.
    check: async (desk, of) => desk.closes(of('harness')),
  },
  'docs/metrics.md#1': {
    async before(desk) {
      appModule({ imports: [millrace(desk)] });
      await desk.log.declareTopic({ name: 'orders' });
    },
    async check(desk, of) {
      const application = await desk.start(of<Type>('MonitoredModule'));
      await application.listen(0, '127.0.0.1');
      const page = await (await fetch(`${await application.getUrl()}/metrics`)).text();
      expect(page).toContain('\nmillrace_redis_up 1');
      expect(page).toContain('\nmillrace_topic_partition_current_offset{topic="orders",partition="0"} 0');
    },
  },
  'docs/metrics.md#2': {
    async check(desk, of) {
      desk.closes(of('metrics'));
      const address = await waitFor(() => desk.served, { what: 'the server' });
      expect(await (await fetch(address)).text()).toContain('\nmillrace_redis_up 1');
    },
  },
  'docs/metrics.md#3': {
    async before() {
      trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }));
    },
    async check({ log }) {
      await log.declareTopic({ name: 'orders' });
      await log.producer().send({ topic: 'orders', value: 'A1' });
      trace.disable();
      expect(spans.getFinishedSpans().map(({ name }) => name)).toEqual(['send orders']);
    },
  },
  'docs/transport.md#1': {
    before: async (desk) => appModule({ controllers: [eventsNotedOn(desk)] }),
    async check(desk, of) {
      const service = of<INestMicroservice>('service');
      desk.closes(service);
      await service.listen();
      await emits({ connection: { url: desk.url, prefix: 'shop' } });
      await desk.called('order.created');
    },
  },
};

const spans = new InMemorySpanExporter();

/** What `given.ts` has a reader's definitions for. */
function given() {
  return globalThis as unknown as {
    orders: import('@millrace/nestjs').TopicDefinition;
    emails: import('@millrace/nestjs').QueueDefinition;
    events: import('@millrace/nestjs').ExchangeDefinition;
  };
}

function millrace({ url, prefix }: Desk) {
  return MillraceModule.forRoot({ connection: { url, prefix }, logging: false });
}

/** Makes the reader's own application. */
export function appModule(metadata: Parameters<typeof Module>[0]): void {
  @Module(metadata)
  class AppModule {}
  Object.assign(globalThis, { AppModule });
}

/** A controller that notes on the desk the events it gets. */
export function eventsNotedOn({ calls }: Desk): Type {
  @Controller()
  class Orders {
    @EventPattern('order.created')
    created(order: unknown) {
      calls.push(['order.created', order]);
    }
  }
  return Orders;
}

/** Emits `order.created`. */
export async function emits(options: ConstructorParameters<typeof MillraceClient>[0]): Promise<void> {
  const client = new MillraceClient(options);
  await firstValueFrom(client.emit('order.created', { id: 'A1' }), { defaultValue: undefined });
  await client.close();
}
