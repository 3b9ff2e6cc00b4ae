import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Consumers, LogHandler, Millrace, QueueHandler } from '@millrace/nestjs';
import { MillraceServer } from '@millrace/nestjs/transport';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { Controller, Injectable } from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';
import { connectionTo, createApplication, startApplication } from './application.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

const topics = [
  { name: 'orders', partitions: 8 },
  { name: 'refunds', partitions: 8 },
];

async function fill(millrace: Millrace): Promise<void> {
  for (const topic of ['orders', 'refunds']) {
    const records = Array.from({ length: 20 }, (_, n) => ({ topic, key: `k${n}`, value: `${topic} ${n}` }));
    await millrace.producer.sendBatch(records);
  }
}

describe('two handlers of one group', () => {
  it('whose lists of topics overlap see every record of their own topics', async () => {
    // given
    @Injectable()
    class Inbox {
      readonly orders: unknown[] = [];
      readonly both: unknown[] = [];
      readonly big: unknown[] = [];

      @LogHandler({ topic: 'orders', group: 'inbox' })
      onOrder(value: unknown): void {
        this.orders.push(value);
      }

      @LogHandler({ topic: ['refunds', 'orders'], group: 'inbox' })
      onAny(value: unknown): void {
        this.both.push(value);
      }

      @LogHandler({ topic: 'refunds', group: 'inbox', when: ({ key }) => key === 'k7' })
      onBig(value: unknown): void {
        this.big.push(value);
      }
    }
    const application = await startApplication(connectionTo(redis, { topics }), { providers: [Inbox] });
    const inbox = application.get(Inbox);
    // when
    await fill(application.get(Millrace));
    // then
    await waitFor(() => inbox.both.length === 40 && inbox.orders.length === 20 && inbox.big.length === 1, {
      what: 'every record at every handler',
    });
    expect(new Set(inbox.orders).size).toBe(20);
    expect(new Set(inbox.both).size).toBe(40);
    expect(inbox.big).toEqual(['refunds 7']);
    expect(application.get(Consumers).all.map(({ source }) => source)).toEqual(['group "inbox" of orders, refunds']);
    await application.close();
  });

  it('whose topics do not overlap have a consumer each', async () => {
    // given
    @Injectable()
    class Inbox {
      @LogHandler({ topic: 'orders', group: 'inbox', concurrency: 1 })
      onOrder(): void {}

      @LogHandler({ topic: 'refunds', group: 'inbox', concurrency: 2 })
      onRefund(): void {}

      @LogHandler({ topic: /^shipments\./, group: 'inbox' })
      onShipment(): void {}
    }
    // when
    const application = await startApplication(connectionTo(redis, { topics }), { providers: [Inbox] });
    // then
    expect(application.get(Consumers).all).toHaveLength(3);
    await application.close();
  });

  it('are refused with both names when a pattern of one may take what the other takes, or their options contradict', async () => {
    // given
    @Injectable()
    class Wrong {
      @LogHandler({ topic: 'orders', group: 'names' })
      byName(): void {}

      @LogHandler({ topic: /^ord/, group: 'names' })
      byPattern(): void {}

      @LogHandler({ topic: /^orders/, group: 'patterns' })
      one(): void {}

      @LogHandler({ topic: /^orders\./, group: 'patterns' })
      other(): void {}

      @LogHandler({ topic: 'orders', group: 'options', retry: { backoff: () => 1 } })
      soon(): void {}

      @LogHandler({ topic: ['orders', 'refunds'], group: 'options', retry: { backoff: () => 2 } })
      late(): void {}
    }
    const application = await createApplication(connectionTo(redis, { topics }), { providers: [Wrong] });
    // when
    const start = application.init();
    // then
    await expect(start).rejects.toMatchObject({
      problems: [
        'Wrong.late: retry differs from that of Wrong.soon, with which it shares a consumer',
        expect.stringMatching(/^Wrong.byPattern: Wrong.byName takes topic "orders" in group "names" too/),
        expect.stringMatching(/^Wrong.other: Wrong.one takes topics that both .* match in group "patterns" too/),
      ],
    });
    await application.close();
  });
});

describe('what a handler takes already', () => {
  @Injectable()
  class Inbox {
    @LogHandler({ topic: ['orders', 'refunds'], group: 'inbox' })
    onAny(): void {}

    @QueueHandler({ queue: 'work' })
    onWork(): void {}
  }

  it('cannot be subscribed to a second time: each would get a part', async () => {
    // given
    const application = await startApplication(connectionTo(redis, { topics }), { providers: [Inbox] });
    const consumers = application.get(Consumers);
    // when
    const log = consumers.subscribeLog({ topic: 'refunds', group: 'inbox', name: 'late' }, () => undefined);
    const queue = consumers.subscribeQueue({ queue: 'work', name: 'late' }, () => undefined);
    // then
    await expect(log).rejects.toThrow('late: Inbox.onAny consumes from topic "refunds" in group "inbox" already');
    await expect(queue).rejects.toThrow('late: Inbox.onWork consumes from queue "work" already');
    expect(consumers.all).toHaveLength(2);
    await application.close();
  });

  it('cannot be taken by a transport over the same connection', async () => {
    // given
    @Controller()
    class Events {
      @EventPattern('refunds', { group: 'inbox' })
      onRefund(_refund: unknown): void {}
    }
    const application = await createApplication(connectionTo(redis, { topics }), {
      providers: [Inbox],
      controllers: [Events],
    });
    application.connectMicroservice({
      strategy: new MillraceServer({ connection: application.get(Millrace), queue: 'service' }),
    });
    // when
    const start = application.init();
    // then
    await expect(start).rejects.toThrow('refunds: Inbox.onAny consumes from topic "refunds" in group "inbox" already');
    await application.close();
  });
});
