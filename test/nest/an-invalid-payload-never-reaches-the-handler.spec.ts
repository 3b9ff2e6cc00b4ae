import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ValidationError } from '@millrace/core';
import {
  defineExchange,
  defineQueue,
  defineTopic,
  type ExchangePublisher,
  getExchangeToken,
  getProducerToken,
  getQueueToken,
  LogHandler,
  Millrace,
  MillraceModule,
  QueueHandler,
  type QueueSender,
  type StandardSchema,
  type TopicProducer,
} from '@millrace/nestjs';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { Injectable, UsePipes, ValidationPipe } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsInt, IsString, Min, ValidateNested } from 'class-validator';
import { connectionTo, startApplication } from './application.js';
import { channels, channelsModule, send, settled } from './channels.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

class Item {
  @IsString()
  sku!: string;

  @IsInt()
  @Min(1)
  quantity!: number;
}

class Order {
  @IsString()
  userId!: string;

  @ValidateNested({ each: true })
  @Type(() => Item)
  items!: Item[];
}

const wrong = { userId: 7, items: [{ sku: 'book', quantity: 0 }] };
const right = { userId: 'u1', items: [{ sku: 'book', quantity: 1 }] };
const everyProblem = ['userId must be a string', 'items.0.quantity must not be less than 1'];

const even: StandardSchema<number> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      typeof value === 'number' && value % 2 === 0 ? { value } : { issues: [{ message: 'must be even', path: ['n'] }] },
  },
};

const handled: unknown[] = [];

@Injectable()
class ByParameter {
  @QueueHandler({ queue: 'work' })
  @LogHandler({ topic: 'work', group: 'orders' })
  onOrder(order: Order): void {
    handled.push(order);
  }
}

@Injectable()
class BySchema {
  @QueueHandler({ queue: 'work', type: even })
  @LogHandler({ topic: 'work', group: 'numbers', type: even })
  onNumber(n: number): void {
    handled.push(n);
  }
}

@Injectable()
class ByPipe {
  @QueueHandler({ queue: 'work' })
  @LogHandler({ topic: 'work', group: 'pipes', type: { '~standard': anything() } })
  @UsePipes(new ValidationPipe())
  onOrder(order: Order): void {
    handled.push(order);
  }
}

describe.each(channels)('an invalid payload from a %s', (channel) => {
  it.each([
    ['a class', ByParameter, wrong, right, everyProblem],
    ['a Standard Schema', BySchema, 3, 4, ['n: must be even']],
  ])('goes to the dead letters with every problem, checked by %s', async (_by, Handlers, bad, good, problems) => {
    // given
    const application = await startApplication(connectionTo(redis), {
      imports: [channelsModule()],
      providers: [Handlers],
    });
    const deaths: { reason: string; error: unknown }[] = [];
    application.get(Millrace).events.on('dead-lettered', (death) => deaths.push(death));
    handled.length = 0;
    // when
    await send(application, channel, bad);
    await send(application, channel, good);
    await waitFor(() => deaths.length > 0 && handled.length > 0, { what: 'a dead letter and a handled message' });
    // then
    expect(deaths.map(({ reason }) => reason)).toEqual(['invalid']);
    expect(deaths.map(({ error }) => (error as ValidationError).problems)).toEqual([problems]);
    expect(handled).toHaveLength(1);
    expect(handled[0]).toEqual(good);
    if (typeof good === 'object') expect(handled[0]).toBeInstanceOf(Order);
    await application.close();
  });

  it('that a ValidationPipe refuses is not retried either', async () => {
    // given
    const application = await startApplication(connectionTo(redis), {
      imports: [channelsModule()],
      providers: [ByPipe],
    });
    const deaths: unknown[] = [];
    const retries: unknown[] = [];
    application.get(Millrace).events.on('dead-lettered', (death) => deaths.push(death));
    application.get(Millrace).events.on('retry-scheduled', (retry) => retries.push(retry));
    handled.length = 0;
    // when
    await send(application, channel, wrong);
    await waitFor(() => deaths.length === 1, { what: 'the dead letter' });
    // then
    expect(retries).toEqual([]);
    expect(handled).toEqual([]);
    await application.close();
  });
});

describe.each(channels)('a property that the class of a payload from a %s does not have', (channel) => {
  class Count {
    @IsInt()
    n!: number;
  }

  @Injectable()
  class Counts {
    @QueueHandler({ queue: 'work' })
    @LogHandler({ topic: 'work', group: 'counts' })
    onCount(count: Count): void {
      handled.push(count);
    }
  }

  it.each([
    ['is kept', {}, [{ n: 1, extra: true }], []],
    ['is left out with whitelist', { whitelist: true }, [{ n: 1 }], []],
    [
      'makes it invalid with forbidNonWhitelisted',
      { whitelist: true, forbidNonWhitelisted: true },
      [],
      [{ reason: 'invalid', problems: ['property extra should not exist'] }],
    ],
  ])('%s', async (_what, validation, payloads, dead) => {
    // given
    handled.length = 0;
    const application = await startApplication(connectionTo(redis, { validation }), {
      imports: [channelsModule()],
      providers: [Counts],
    });
    const deaths: object[] = [];
    application.get(Millrace).events.on('dead-lettered', ({ reason, error }) => {
      deaths.push({ reason, problems: (error as ValidationError).problems });
    });
    // when
    await send(application, channel, { n: 1, extra: true });
    await waitFor(() => handled.length + deaths.length > 0, { what: 'the message' });
    await settled(application, channel, 'counts');
    // then
    expect(handled).toEqual(payloads);
    expect(deaths).toEqual(dead);
    await application.close();
  });
});

describe('an invalid payload at its publisher', () => {
  const orders = defineTopic({ name: 'orders', type: Order });
  const emails = defineQueue({ name: 'emails', type: Order });
  const events = defineExchange({ name: 'events', type: 'topic', messages: { 'order.created': Order } });

  it('is refused with every problem before anything is sent, and does not compile', async () => {
    // given
    const application = await startApplication(connectionTo(redis), {
      imports: [MillraceModule.forFeature({ topics: [orders], queues: [emails], exchanges: [events] })],
    });
    const producer = application.get<TopicProducer<Order>>(getProducerToken(orders));
    const queue = application.get<QueueSender<Order>>(getQueueToken(emails));
    const exchange = application.get<ExchangePublisher<typeof events.messages>>(getExchangeToken(events));
    // when
    const attempts = [
      // @ts-expect-error the type of the payload is wrong
      () => producer.send({ value: wrong }),
      // @ts-expect-error the type of the payload is wrong
      () => queue.send(wrong),
      // @ts-expect-error the type of the payload is wrong
      () => exchange.publish('order.created', wrong),
    ];
    // then
    for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject({ problems: everyProblem });
    // @ts-expect-error the type of a payload is wrong
    const batch = producer.sendBatch([{ value: right }, { key: 'u7', value: wrong }, { value: wrong }]);
    await expect(batch).rejects.toMatchObject({
      problems: ['records[1] (key "u7")', 'records[2]'].flatMap((place) =>
        everyProblem.map((problem) => `${place}: ${problem}`),
      ),
    });
    // @ts-expect-error no message of this exchange has that routing key
    await exchange.publish('order.deleted', right);
    await exchange.publish('order.created', right);
    const { broker, log } = application.get(Millrace);
    expect(await log.endOffset('orders', 0)).toBe(0);
    expect(await broker.queue('emails').counts()).toMatchObject({ ready: 0 });
    await application.close();
  });

  it('of another type than the handler takes does not compile', () => {
    class Handlers {
      // @ts-expect-error the topic holds orders, not texts
      @LogHandler({ topic: orders, group: 'desk' })
      onText(_order: string): void {}

      @LogHandler({ topic: orders, group: 'desk' })
      onOrder(_order: Order, _context: RecordContextLike): void {}

      // @ts-expect-error the queue holds orders, not numbers
      @QueueHandler({ queue: emails })
      onNumber(_order: number): void {}

      // Declared without a type: they say nothing of what they hold.
      @QueueHandler({ queue: { name: 'plain', maxLength: 4 } })
      onMessage(_order: Order): void {}

      @LogHandler({ topic: { name: 'plain', partitions: 4 }, group: 'desk' })
      onRecord(_order: Order): void {}
    }
    expect(Handlers).toBeDefined();
  });
});

interface RecordContextLike {
  readonly offset: number;
}

function anything(): StandardSchema['~standard'] {
  return { version: 1, vendor: 'test', validate: (value) => ({ value }) };
}
