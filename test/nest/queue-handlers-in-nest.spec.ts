import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Millrace, MillraceModule, QueueHandler } from '@millrace/nestjs';
import type { MessageContext } from '@millrace/queue';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { Injectable } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';
import { connectionTo, startApplication } from './application.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

describe('several handlers of one queue', () => {
  it('each get what their bindings let through, and every one that matches runs', async () => {
    // given
    const seen: string[] = [];
    @Injectable()
    class Desk {
      @QueueHandler({ queue: 'desk', bind: [{ exchange: 'events', routingKey: 'order.created' }] })
      onCreated(_payload: unknown, context: MessageContext): void {
        seen.push(`created ${context.routingKey}`);
      }

      @QueueHandler({
        queue: 'desk',
        bind: [
          { exchange: 'events', routingKey: 'order.#' },
          { exchange: 'events', routingKey: '*.cancelled' },
        ],
      })
      onAny(_payload: unknown, context: MessageContext): void {
        seen.push(`any ${context.routingKey}`);
      }
    }
    const exchanges = [{ name: 'events', type: 'topic' as const }];
    const application = await startApplication(connectionTo(redis), {
      imports: [MillraceModule.forFeature({ exchanges })],
      providers: [Desk],
    });
    // when
    const { broker } = application.get(Millrace);
    await broker.publish('events', 'order.created', { n: 1 });
    await broker.publish('events', 'order.cancelled', { n: 2 });
    await broker.publish('events', 'user.cancelled', { n: 3 });
    // then
    await waitFor(() => seen.length >= 4, { what: 'four deliveries' });
    expect(seen.sort()).toEqual([
      'any order.cancelled',
      'any order.created',
      'any user.cancelled',
      'created order.created',
    ]);
    await application.close();
  });
});

describe('an RpcException of a handler', () => {
  it("brings its requester what it was given, as over Nest's transport", async () => {
    // given an error with the request of an HTTP client in it
    const secret = 'Bearer 1234';
    const cause = Object.assign(new Error('refused'), { status: 401, config: { authorization: secret } });
    @Injectable()
    class Desk {
      @QueueHandler({ queue: 'asked' })
      onAsked(kind: string): never {
        if (kind === 'object')
          throw new RpcException({ code: 42, status: 'odd', message: 'odd', retryable: true, cause });
        throw new RpcException(cause);
      }
    }
    const application = await startApplication(connectionTo(redis), { providers: [Desk] });
    const { broker } = application.get(Millrace);
    const ask = (kind: string): Promise<unknown> => broker.request('', 'asked', kind).catch((error: unknown) => error);
    // when
    const [object, error] = [await ask('object'), await ask('error')];
    // then
    expect(object).toMatchObject({
      message: 'Error: odd',
      remoteCode: 42,
      remoteStatus: 'odd',
      details: { code: 42, retryable: true, cause: { name: 'Error', message: 'refused', status: 401 } },
    });
    expect(error).toMatchObject({ message: 'Error: refused', remoteStatus: 401, details: {} });
    expect(JSON.stringify([object, error])).not.toContain(secret);
    await application.close();
  });
});

describe('a queue that keeps completed messages', () => {
  it('has them with what the handler returned, whether it is declared by a module or by its handler', async () => {
    // given
    @Injectable()
    class Desk {
      @QueueHandler({ queue: 'by-module' })
      onOne(payload: unknown): unknown {
        return { got: payload };
      }

      @QueueHandler({ queue: { name: 'by-handler', keepCompleted: { count: 2 } } })
      onOther(payload: unknown): unknown {
        return { got: payload };
      }
    }
    const queues = [{ name: 'by-module', keepCompleted: { ageMs: 60_000 } }];
    const application = await startApplication(connectionTo(redis), {
      imports: [MillraceModule.forFeature({ queues })],
      providers: [Desk],
    });
    const { broker } = application.get(Millrace);
    for (const name of ['by-module', 'by-handler']) {
      // when
      for (let n = 0; n < 3; n++) await broker.sendToQueue(name, n, { messageId: `${n}` });
      await waitFor(async () => (await broker.queue(name).message('2'))?.state === 'completed', { what: 'the last' });
      // then
      const { messages } = await broker.queue(name).completed();
      expect(messages).toHaveLength(name === 'by-module' ? 3 : 2);
      expect(await broker.queue(name).message('2')).toMatchObject({ result: { got: 2 } });
    }
    await application.close();
  });
});
