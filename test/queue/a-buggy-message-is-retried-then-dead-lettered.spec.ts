import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DeadLetter, Drop, RetryLater } from '@millrace/core';
import { Requeue } from '@millrace/queue';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

describe('a message whose handler fails', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  it('is retried three times and then dead-lettered, while the rest flows', async () => {
    // given a message that is retried soon, one that is retried in an hour, and a hundred behind them
    const { broker, close } = await openBroker(server, ownPrefix());
    await broker.declareQueue({ name: 'q' });
    const begun: unknown[] = [];
    const attempts: number[] = [];
    const consumer = broker.consumer({
      queue: 'q',
      concurrency: 1,
      prefetch: 10,
      retry: { maxRetries: 3, backoff: 20 },
      handler: (payload, { attempt }) => {
        begun.push(payload);
        if (payload === 'bug') attempts.push(attempt);
        if (typeof payload === 'string') throw new TypeError('it is the code, not the weather');
      },
    });
    const inAnHour = { maxRetries: 1, backoff: { kind: 'fixed', delayMs: 3_600_000 } } as const;
    await broker.publishBatch([
      { exchange: '', routingKey: 'q', body: 'bug', properties: { messageId: 'buggy' } },
      { exchange: '', routingKey: 'q', body: 'patient', properties: { retry: inAnHour } },
      ...Array.from({ length: 100 }, (_, body) => ({ exchange: '', routingKey: 'q', body })),
    ]);
    // when
    await consumer.start();
    // then
    const dead: unknown[] = [];
    const seeDead = (payload: unknown, context: { messageId: string; deaths: unknown }) =>
      void dead.push({ payload, id: context.messageId, deaths: context.deaths });
    await waitFor(() => begun.length === 105, { what: 'four attempts, and the others' });
    await broker.declareQueue({ name: 'q.dead-letters' });
    await broker.consumer({ queue: 'q.dead-letters', handler: seeDead }).start();
    await waitFor(() => dead.length === 1, { what: 'the dead letter' });
    // The others do not wait for a retry.
    expect(begun.slice(0, 3)).toEqual(['bug', 'patient', 0]);
    expect(new Set(begun).size).toBe(102);
    expect(attempts).toEqual([1, 2, 3, 4]);
    expect(dead).toEqual([
      {
        payload: 'bug',
        id: 'buggy',
        deaths: [
          expect.objectContaining({
            queue: 'q',
            reason: 'failed',
            count: 1,
            exchange: '',
            routingKeys: ['q'],
            error: expect.objectContaining({ name: 'TypeError', message: 'it is the code, not the weather' }),
          }),
        ],
      },
    ]);
    await close();
  });

  it('goes where its queue says, and what its handler says is done', async () => {
    // given
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    await broker.declare({
      exchanges: [{ name: 'dlx', type: 'topic' }],
      queues: [{ name: 'q', deadLetter: { exchange: 'dlx', routingKey: 'dead.q' } }, { name: 'graves' }],
      bindings: [{ exchange: 'dlx', queue: 'graves', routingKey: 'dead.#' }],
    });
    const seen: string[] = [];
    let later = 0;
    let back = 0;
    const behaviours: Record<string, (context: { attempt: number }) => unknown> = {
      reject: () => {
        throw new DeadLetter('never');
      },
      drop: () => {
        throw new Drop('no use');
      },
      later: ({ attempt }) => {
        seen.push(`later attempt ${attempt}`);
        if (++later < 3) throw new RetryLater(10);
      },
      back: () => {
        seen.push('back');
        if (++back < 3) throw new Requeue();
      },
    };
    const handler = (payload: unknown, context: { attempt: number }) => behaviours[String(payload)]?.(context);
    await broker.consumer({ queue: 'q', retry: false, handler }).start();
    // when
    for (const behaviour of Object.keys(behaviours)) await broker.sendToQueue('q', behaviour);
    // then
    const graves: unknown[] = [];
    await broker
      .consumer({
        queue: 'graves',
        handler: (payload, { deaths, exchange, routingKey }) =>
          void graves.push(payload, deaths[0]?.reason, exchange, routingKey),
      })
      .start();
    const redis = server.client({ keyPrefix: `${prefix}:{queue:q}:` });
    await waitFor(async () => graves.length > 0 && (await redis.hlen('messages')) === 0, { what: 'all to be settled' });
    expect(graves).toEqual(['reject', 'rejected', 'dlx', 'dead.q']);
    expect(seen.filter((line) => line.startsWith('later'))).toEqual(Array(3).fill('later attempt 1'));
    expect(seen.filter((line) => line === 'back')).toHaveLength(3);
    expect(await redis.exists('counts', 'ended', 'follow-ups', 'delayed')).toBe(0);
    await close();
  });
});
