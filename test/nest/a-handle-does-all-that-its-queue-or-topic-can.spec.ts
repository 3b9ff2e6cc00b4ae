import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ValidationError } from '@millrace/core';
import {
  defineQueue,
  defineTopic,
  InjectMillrace,
  InjectProducer,
  InjectQueue,
  LogHandler,
  Millrace,
  MillraceModule,
  type PublishProperties,
  QueueHandle,
  QueueHandler,
  QueueSender,
  TopicHandle,
  TopicProducer,
} from '@millrace/nestjs';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import type { INestApplication } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import { IsInt, IsString } from 'class-validator';
import { connectionTo, startApplication } from './application.js';

class Email {
  @IsString()
  to!: string;
}
class Sent {
  @IsInt()
  characters!: number;
}
interface Order {
  readonly total: number;
}

const emails = defineQueue({ name: 'emails', type: Email, reply: Sent });
// Without `type` payloads are typed, and not validated.
const orders = defineTopic<Order>({ name: 'orders', partitions: 1 });
const notes = defineQueue<string>({ name: 'notes' });

@Injectable()
class Handlers {
  fails = true;

  @QueueHandler({ queue: emails, retry: false })
  send({ to }: Email): Sent {
    if (to === 'missing' && this.fails) throw new Error('no such address');
    return { characters: to === 'liar' ? ('many' as never) : to.length };
  }

  @LogHandler({ topic: orders, group: 'billing', retry: false })
  bill(_order: Order): void {
    if (this.fails) throw new Error('the bank is closed');
  }
}

@Injectable()
class Desk {
  constructor(
    @InjectMillrace() readonly millrace: Millrace,
    @InjectQueue(emails) readonly mails: QueueHandle<Email, Sent>,
    @InjectQueue(notes) readonly memos: QueueHandle<string>,
    @InjectProducer(orders) readonly placed: TopicHandle<Order>,
  ) {}
}

let redis: RedisServer;
let application: INestApplication;
let desk: Desk;
beforeAll(async () => {
  redis = await startRedis();
  const feature = MillraceModule.forFeature({ topics: [orders], queues: [emails, notes] });
  application = await startApplication(connectionTo(redis), { imports: [feature], providers: [Desk, Handlers] });
  desk = application.get(Desk);
});
afterAll(async () => {
  await application.close();
  await stopEverything();
});

describe('the handle of a queue', () => {
  it('sends, looks, cancels, pauses and resumes, each with the type of its payloads', async () => {
    // when
    await desk.memos.pause();
    await desk.memos.send('first', { messageId: 'a' } satisfies PublishProperties);
    const receipts = await desk.memos.sendBatch([
      { body: 'second', properties: { messageId: 'b' } },
      { body: 'third' },
    ]);
    // then
    expect(receipts.map(({ queues }) => queues)).toEqual([['notes'], ['notes']]);
    const text: string | undefined = (await desk.memos.message('b'))?.message?.payload();
    expect(text).toBe('second');
    expect(await desk.memos.cancel('b')).toBe('cancelled');
    expect([await desk.memos.counts(), await desk.memos.isPaused()]).toMatchObject([{ ready: 2 }, true]);
    await desk.memos.resume();
    expect(await desk.memos.isPaused()).toBe(false);
  });

  it('asks, and checks both the request and the reply', async () => {
    const sent: Sent = await desk.mails.request({ to: 'ada' });
    expect(sent).toBeInstanceOf(Sent);
    expect(sent.characters).toBe(3);
    await expect(desk.mails.request({ to: 5 } as never)).rejects.toThrow(ValidationError);
    await expect(desk.mails.request({ to: 'liar' })).rejects.toThrow(/reply of queue "emails" is invalid: characters/);
    const batch = desk.mails.sendBatch([
      { body: { to: 'ada' } },
      { body: {} as never, properties: { messageId: 'x' } },
    ]);
    await expect(batch).rejects.toThrow(/batch for queue "emails" is invalid: messages\[1\] \(id "x"\): to must be/);
  });

  it('has the dead letters of its queue, not what waits in it', async () => {
    // given
    const handlers = application.get(Handlers);
    handlers.fails = true;
    await desk.mails.send({ to: 'missing' }, { messageId: 'lost' });
    const letters = desk.mails.deadLetters;
    await waitFor(async () => (await letters.list()).messages.length === 1, { what: 'a dead letter' });
    // when
    handlers.fails = false;
    const [letter] = (await letters.list()).messages;
    const to: string | undefined = letter?.payload().to;
    const report = await letters.redrive();
    // then
    expect([to, report.redriven]).toEqual(['missing', 1]);
    await waitFor(async () => (await desk.mails.counts()).ready === 0, { what: 'it was handled' });
    expect((await letters.list()).messages).toEqual([]);
  });
});

describe('the handle of a topic', () => {
  it('sends, reads, reports the lag of a group, and sends dead letters back with the same report as a queue', async () => {
    // given
    const handlers = application.get(Handlers);
    handlers.fails = true;
    await desk.placed.send({ value: { total: 1 }, key: 'a' });
    await desk.placed.sendBatch([{ value: { total: 2 } }, { value: { total: 3 } }]);
    const done = async () => (await desk.placed.lag('billing'))[0]?.lag === 0;
    await waitFor(done, { what: 'three dead letters' });
    // when
    handlers.fails = false;
    const report = await desk.placed.redrive();
    // then
    const totals: number[] = [];
    for await (const { value } of desk.placed.read({ partition: 0 })) totals.push(value.total);
    expect(totals.slice(0, 3)).toEqual([1, 2, 3]);
    expect(report).toEqual({ ...(await desk.mails.deadLetters.redrive()), redriven: 3 });
    expect((await desk.placed.describe()).partitions).toBe(1);
  });
});

it('refuses payloads of another type, and keeps the names that it had', () => {
  const { mails: queue, placed: topic } = desk;
  const refused = [
    // @ts-expect-error another payload
    () => queue.send({ from: 'ada' }),
    // @ts-expect-error another payload
    () => queue.sendBatch([{ to: 'ada' }]),
    // @ts-expect-error another value
    () => topic.send({ value: { total: 'a lot' } }),
    // @ts-expect-error another type of reply
    async (): Promise<string> => queue.request({ to: 'ada' }),
  ];
  expect(refused).toHaveLength(4);
  expect([queue instanceof QueueSender, topic instanceof TopicProducer]).toEqual([true, true]);
  expect([queue.queue, topic.topic]).toEqual(['emails', 'orders']);
  expect(desk.millrace.broker.queue('emails')).toBeInstanceOf(QueueHandle);
});
