import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { MillraceEvents } from '@millrace/delivery';
import { type MessageContext, ReplyStreamLostError } from '@millrace/queue';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

type Dropped = MillraceEvents['reply-dropped'][0];

describe('the reply to a request', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  /** A requester, and a responder whose handler says what it was asked with. */
  async function sides({ replyQueues = [] }: { readonly replyQueues?: readonly string[] } = {}) {
    const prefix = ownPrefix();
    const [asking, answering] = [await openBroker(server, prefix), await openBroker(server, prefix)];
    await asking.broker.declare({ queues: [{ name: 'q' }, { name: 'others' }] });
    const [asked, dropped]: [MessageContext['properties'][], Dropped[]] = [[], []];
    answering.broker.events.on('reply-dropped', (event) => dropped.push(event));
    let goOn = (): void => undefined;
    const handler = async (payload: unknown, context: MessageContext): Promise<unknown> => {
      asked.push(context.properties);
      if (payload === 'wait')
        await new Promise<void>((resolve) => {
          goOn = resolve;
        });
      return payload;
    };
    await answering.broker.consumer({ queue: 'q', replyQueues, handler }).start();
    const stream = (): string => `${prefix}:{${asked[0]?.replyTo}}:replies`;
    const close = async (): Promise<void> => {
      await asking.close();
      await answering.close();
    };
    return { broker: asking.broker, asked, dropped, stream, goOn: () => goOn(), close, prefix };
  }

  it('comes on a stream whose name is a secret, under an id that says nothing of another', async () => {
    // when
    const { broker, asked, close } = await sides();
    expect(await Promise.all([broker.request('', 'q', 1), broker.request('', 'q', 2)])).toEqual([1, 2]);
    // then: both are 128 bits, and none is in the other
    const [one, two] = asked;
    const secret = one?.replyTo?.slice('reply:'.length) ?? '';
    const ids = [one?.correlationId ?? '', two?.correlationId ?? ''];
    for (const random of [secret, ...ids]) expect(Buffer.from(random, 'base64url')).toHaveLength(16);
    expect(two?.replyTo).toBe(one?.replyTo);
    expect(new Set([secret, ...ids]).size).toBe(3);
    await close();
  });

  it('is dropped and reported when its requester is gone, and makes no key', async () => {
    // given: reply addresses without a requester, for a reply and for an error
    const { broker, asked, dropped, close, prefix } = await sides();
    const replyTo = `reply:${randomBytes(16).toString('base64url')}`;
    // when
    await broker.sendToQueue('q', 'a', { messageId: 'm', replyTo, correlationId: 'c' });
    await waitFor(() => dropped.length > 0, { what: 'the report' });
    // then
    expect(asked).toHaveLength(1);
    expect(dropped).toEqual([expect.objectContaining({ source: 'queue:q', messageId: 'm', why: 'requester-gone' })]);
    await waitFor(async () => (await broker.queue('q').counts()).unacked === 0, { what: 'it to be settled' });
    expect(await server.client().keys(`${prefix}:{reply:*`)).toEqual([]);
    await close();
  });

  it('goes to no queue that the responder does not allow; the message is handled', async () => {
    // given
    const { broker, asked, dropped, close } = await sides({ replyQueues: ['others'] });
    // when
    await broker.sendToQueue('q', 'to q', { messageId: 'm', replyTo: 'q', correlationId: 'c' });
    await broker.sendToQueue('q', 'to others', { replyTo: 'others', correlationId: 'c' });
    await waitFor(async () => (await broker.queue('others').counts()).ready === 1, { what: 'the allowed reply' });
    await waitFor(() => dropped.length > 0, { what: 'the report' });
    // then
    expect(asked).toHaveLength(2);
    expect(dropped).toEqual([expect.objectContaining({ messageId: 'm', why: 'not-allowed', queue: 'q' })]);
    expect((await broker.queue('others').ready()).messages[0]?.payload()).toBe('to others');
    await close();
  });

  it('to a queue that does not exist, or is full, is dropped and reported: the message is handled once', async () => {
    // given
    const { broker, asked, dropped, close } = await sides({ replyQueues: ['missing', 'full'] });
    await broker.declareQueue({ name: 'full', maxLength: 1, overflow: 'reject-publish' });
    await broker.sendToQueue('full', 'the first');
    // when
    for (const replyTo of ['missing', 'full'])
      await broker.sendToQueue('q', replyTo, { messageId: `m-${replyTo}`, replyTo, correlationId: 'c' });
    await waitFor(async () => (await broker.queue('q').counts()).unacked === 0 && dropped.length > 1, { what: 'both' });
    // then
    expect(asked).toHaveLength(2);
    const why = { missing: 'queue-missing', full: 'queue-full' };
    const reports = Object.entries(why).map(([queue, reason]) => ({ messageId: `m-${queue}`, why: reason, queue }));
    expect(dropped).toEqual(reports.map((report) => expect.objectContaining(report)));
    expect(await broker.queue('q').counts()).toMatchObject({ ready: 0, delayed: 0, dying: 0 });
    await close();
  });

  const spoiled: readonly [how: string, spoil: (stream: string) => unknown][] = [
    ['was deleted', (stream) => server.client().del(stream)],
    [
      'has ids that ran ahead',
      (stream) => server.client().xadd(stream, `${2n ** 64n - 1n}-${2n ** 64n - 1n}`, 'r', ''),
    ],
    ['has become another key', (stream) => server.client().multi().del(stream).set(stream, 'else').exec()],
  ];

  it.each(spoiled)('is known to be lost when the stream %s, and the next one comes', async (_, spoil) => {
    // given: a request that is being handled
    const { broker, asked, stream, goOn, close } = await sides();
    // The wait for replies that is under way ends after 5 s; the stream is checked every second.
    const lost = broker.request('', 'q', 'wait', { timeoutMs: 4000 });
    const failure = lost.catch((error: unknown) => error);
    await waitFor(() => asked.length > 0, { what: 'the request' });
    // when
    await spoil(stream());
    // then
    expect(await failure).toBeInstanceOf(ReplyStreamLostError);
    goOn();
    expect(await broker.request('', 'q', 'again')).toBe('again');
    await close();
  });

  it('comes although ids ran ahead that leave room for more', async () => {
    // given
    const { broker, asked, stream, goOn, close } = await sides();
    const reply = broker.request('', 'q', 'wait');
    await waitFor(() => asked.length > 0, { what: 'the request' });
    // when: a day ahead, and at the end of a millisecond
    const ahead = Date.now() + 86_400_000;
    await server.client().xadd(stream(), `${ahead}-${2n ** 64n - 1n}`, 'r', '');
    goOn();
    // then
    expect(await reply).toBe('wait');
    expect(await broker.request('', 'q', 'again')).toBe('again');
    await close();
  });
});
