import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Consumers,
  DeadLetter,
  type ExchangePublisher,
  getProducerToken,
  InjectExchange,
  InjectProducer,
  LogHandler,
  Millrace,
  MillraceModule,
  type MillraceModuleInput,
  QueueHandler,
  Retry,
  type TopicProducer,
} from '@millrace/nestjs';
import { stopEverything } from '@millrace/testing';
import { OfflineHarness, RedisHarness } from '@millrace/testing/harness';
import { type DynamicModule, Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { IsInt } from 'class-validator';

class Order {
  @IsInt()
  total!: number;
}

@Injectable()
class Desk {
  failures = 0;

  constructor(
    @InjectProducer('audit') private readonly audit: TopicProducer,
    @InjectExchange('events') private readonly events: ExchangePublisher,
  ) {}

  @LogHandler({ topic: 'orders', group: 'desk' })
  @Retry({ maxRetries: 2, backoff: { kind: 'fixed', delayMs: 60_000 } })
  async onOrder(order: Order, context: { key: string | undefined }): Promise<void> {
    if (this.failures-- > 0) throw new Error('not yet');
    await this.events.publish('order.accepted', { total: order.total, by: context.key });
  }

  @QueueHandler({ queue: 'accepted', bind: [{ exchange: 'events', routingKey: 'order.*' }] })
  async onAccepted(payload: { total: number }): Promise<void> {
    await this.audit.send({ value: payload.total });
  }
}

@Module({
  imports: [
    MillraceModule.forRoot({ connection: { url: 'redis://127.0.0.1:1' }, logging: false }),
    MillraceModule.forFeature({
      topics: [{ name: 'orders' }, { name: 'audit' }],
      exchanges: [{ name: 'events', type: 'topic' }],
    }),
  ],
  providers: [Desk],
})
class ShopModule {}

@Injectable()
class Inbox {
  @LogHandler({ topic: { name: 'letters' }, group: 'inbox' })
  onLetter(): void {}

  @QueueHandler({ queue: 'parcels' })
  onParcel(): void {
    throw new DeadLetter('broken');
  }
}

function inboxModule(options: Partial<MillraceModuleInput>): DynamicModule {
  const connection = { url: 'redis://127.0.0.1:1' };
  return {
    module: class InboxModule {},
    imports: [MillraceModule.forRoot({ connection, logging: false, ...options })],
    providers: [Inbox],
  };
}

describe('the harness without Redis', () => {
  it('runs a handler through the whole pipeline and keeps what it publishes', async () => {
    // given
    const harness = await OfflineHarness.start(Test.createTestingModule({ imports: [ShopModule] }));
    // when
    const good = await harness.handle('Desk.onOrder', { total: 5 }, { key: 'u1' });
    const bad = await harness.handle('Desk.onOrder', { total: 'five' });
    // then
    expect(good.settlement.kind).toBe('complete');
    expect(bad.settlement).toMatchObject({ kind: 'dead-letter', reason: 'invalid' });
    expect(harness.journal.published).toEqual([
      { to: 'exchange', exchange: 'events', routingKey: 'order.accepted', body: { total: 5, by: 'u1' }, headers: {} },
    ]);
    await expect(harness.handle('Desk.onOther', {})).rejects.toThrow('Desk.onOrder, Desk.onAccepted');
    await harness.stop();
  });

  it('waits for retries by a clock that is advanced', async () => {
    // given
    const harness = await OfflineHarness.start(Test.createTestingModule({ imports: [ShopModule] }));
    harness.application.get(Desk).failures = 2;
    // when
    const first = await harness.handle('Desk.onOrder', { total: 5 });
    const early = await harness.advance(59_999);
    const later = await harness.advance(60_001);
    // then
    expect(first.settlement).toMatchObject({ kind: 'retry', delayMs: 60_000 });
    expect(early).toEqual([]);
    expect(later.map(({ attempt, settlement }) => [attempt, settlement.kind])).toEqual([
      [2, 'retry'],
      [3, 'complete'],
    ]);
    expect([harness.nowMs, harness.waiting]).toEqual([120_000, 0]);
    await harness.stop();
  });
});

describe('the harness with a private Redis', () => {
  afterEach(stopEverything);

  it('waits until all that follows from a message is done', async () => {
    // given
    const harness = await RedisHarness.start(Test.createTestingModule({ imports: [ShopModule] }));
    const orders = harness.application.get<TopicProducer>(getProducerToken('orders'));
    // when
    await orders.send({ key: 'u1', value: { total: 7 } });
    await harness.waitUntilIdle();
    // then
    expect(harness.journal.published.map(({ to }) => to)).toEqual(['topic', 'exchange', 'topic']);
    expect(harness.journal.handled.map(({ handler }) => handler)).toEqual(['Desk.onOrder', 'Desk.onAccepted']);
    await harness.stop();
  });

  it('is idle when what is left are dead letters that no handler takes', async () => {
    // given
    const harness = await RedisHarness.start(Test.createTestingModule({ imports: [inboxModule({})] }));
    // when
    await harness.application.get(Millrace).broker.sendToQueue('parcels', 'broken');
    await harness.waitUntilIdle();
    // then
    expect(harness.journal.deadLetters).toEqual([expect.objectContaining({ handler: 'Inbox.onParcel' })]);
    await harness.stop();
  });

  it('leaves no connection open when the application cannot start', async () => {
    // given
    const made: Millrace[] = [];
    const fails = (millrace: Millrace): never => {
      made.push(millrace);
      throw new Error('no configuration');
    };
    const providers = [{ provide: 'failing', inject: [Millrace], useFactory: fails }];
    // when
    const start = RedisHarness.start(Test.createTestingModule({ imports: [inboxModule({})], providers }));
    // then
    await expect(start).rejects.toThrow('no configuration');
    expect(made.map(({ state }) => state)).toEqual(['closed']);
  });

  it("starts the consumers of an application that would wait for its HTTP server ('listening')", async () => {
    // given
    const harness = await RedisHarness.start(
      Test.createTestingModule({ imports: [inboxModule({ startConsumers: 'listening' })] }),
    );
    // when
    await harness.application.get(Millrace).producer.send({ topic: 'letters', value: 'hello' });
    await harness.waitUntilIdle();
    // then
    expect(harness.journal.handled.map(({ handler }) => handler)).toEqual(['Inbox.onLetter']);
    await harness.stop();
  });

  it("has started the consumers of an application that would not wait for Redis ('background')", async () => {
    // when
    const harness = await RedisHarness.start(
      Test.createTestingModule({ imports: [inboxModule({ waitForRedis: 'background' })] }),
    );
    // then
    expect(harness.application.get(Consumers).all.map(({ isRunning }) => isRunning)).toEqual([true, true]);
    await harness.stop();
  });

  it('is never idle while no handler runs: that would be a green test that handled nothing', async () => {
    // given
    const harness = await RedisHarness.start(
      Test.createTestingModule({ imports: [inboxModule({ startConsumers: 'manual' })] }),
    );
    await harness.application.get(Millrace).producer.send({ topic: 'letters', value: 'hello' });
    // when
    const idle = harness.waitUntilIdle();
    // then
    await expect(idle).rejects.toThrow('no handler runs (Inbox.onParcel, Inbox.onLetter)');
    await harness.application.get(Consumers).start();
    await harness.waitUntilIdle();
    expect(harness.journal.handled).toHaveLength(1);
    await harness.stop();
  });
});
