import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { LogHandler, Millrace, OnDeadLetter, QueueHandler } from '@millrace/nestjs';
import { MillraceServer } from '@millrace/nestjs/transport';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { Controller, Injectable, Logger } from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';
import { IsInt } from 'class-validator';
import { connectionTo, createApplication, startApplication } from './application.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

let lines: string[] = [];
beforeEach(() => {
  lines = [];
  jest.spyOn(Logger.prototype, 'warn').mockImplementation((line: unknown) => void lines.push(String(line)));
});
afterEach(() => {
  jest.restoreAllMocks();
});

describe('a queue that only a handler names', () => {
  @Injectable()
  class Mailer {
    @QueueHandler({ queue: 'emials' })
    onMail(): void {}

    @QueueHandler({ queue: 'bills' })
    onBill(): void {}

    @OnDeadLetter({ queue: 'bils' })
    onLost(): void {}

    @OnDeadLetter({ queue: 'bills' })
    onDead(): void {}

    @OnDeadLetter({ topic: 'oders', group: 'undertaker' })
    onLostRecord(): void {}

    @OnDeadLetter({ topic: 'orders', group: 'undertaker' })
    onDeadRecord(): void {}
  }

  const wanted = [
    expect.stringMatching(
      /^Mailer.onMail consumes from queue "emials", which nothing declares: it (is made|has) default settings \(did you mean "emails"\?\)\. .*forRoot/,
    ),
    expect.stringMatching(/^Mailer.onLost waits for dead letters of queue "bils", which does not exist/),
    expect.stringMatching(/^Mailer.onLostRecord waits for dead letters of topic "oders", which does not exist/),
  ];

  it('is logged at each start, with a guess at what was meant, and so is what has no dead letters', async () => {
    // given
    const rest = { logging: true, queues: ['emails', 'bills'], topics: [{ name: 'orders' }] };
    const options = connectionTo(redis, rest);
    // when: the second one finds the queue that the first one made
    await (await startApplication(options, { providers: [Mailer] })).close();
    const first = lines.splice(0);
    await (await startApplication(options, { providers: [Mailer] })).close();
    // then
    expect(first).toEqual(expect.arrayContaining(wanted));
    expect(lines).toEqual(expect.arrayContaining(wanted));
    expect([first, lines].flat().filter((line) => /queue|dead letters/.test(line))).toHaveLength(6);
  });

  it("is not logged when it is a transport's own", async () => {
    // given
    @Controller()
    class Events {
      @EventPattern('user.created')
      onUser(_user: unknown): void {}
    }
    const application = await createApplication(connectionTo(redis, { logging: true }), { controllers: [Events] });
    application.connectMicroservice({
      strategy: new MillraceServer({ connection: application.get(Millrace), queue: 'service' }),
    });
    // when
    await application.init();
    await application.startAllMicroservices();
    // then
    expect(lines.filter((line) => line.includes('queue'))).toEqual([]);
    await application.close();
  });
});

describe('a handler whose parameter type the compiler did not write down', () => {
  class Order {
    @IsInt()
    total!: number;
  }

  function untyped<T extends { readonly prototype: object }>(type: T): T {
    for (const name of Object.getOwnPropertyNames(type.prototype)) {
      Reflect.deleteMetadata('design:paramtypes', type.prototype, name);
    }
    return type;
  }

  it('is logged, since its payloads are not validated', async () => {
    // given: as without emitDecoratorMetadata
    @Injectable()
    class Desk {
      @LogHandler({ topic: { name: 'orders' }, group: 'desk' })
      onOrder(_order: Order): void {}

      @QueueHandler({ queue: { name: 'orders' } })
      onMessage(_order: Order): void {}

      @QueueHandler({ queue: { name: 'typed' }, type: Order })
      onTyped(_order: Order): void {}

      @QueueHandler({ queue: { name: 'defined', type: Order } })
      onDefined(_order: Order): void {}

      @QueueHandler({ queue: { name: 'unchecked' }, type: false })
      onUnchecked(_order: Order): void {}

      @QueueHandler({ queue: { name: 'nothing' } })
      onNothing(): void {}
    }
    // when
    const application = await startApplication(connectionTo(redis, { logging: true }), { providers: [untyped(Desk)] });
    // then
    const logged = lines.filter((line) => line.includes('validated'));
    expect(logged).toEqual([
      expect.stringMatching(
        /^Payloads of Desk.onOrder, Desk.onMessage are not validated: .*emitDecoratorMetadata.*type/,
      ),
    ]);
    await application.close();
  });

  it('is not logged when it did', async () => {
    // given
    @Injectable()
    class Desk {
      @QueueHandler({ queue: { name: 'orders' } })
      onMessage(_order: Order): void {}
    }
    // when
    const application = await startApplication(connectionTo(redis, { logging: true }), {
      providers: [Desk],
    });
    // then
    expect(lines.filter((line) => line.includes('validated'))).toEqual([]);
    await application.close();
  });
});

describe('a class with handlers that no module provides', () => {
  it('is logged once, and one that a provider extends is not', async () => {
    // given
    class Base {
      @QueueHandler({ queue: { name: 'inherited' } })
      onMessage(): void {}
    }
    @Injectable()
    class Provided extends Base {}
    class Forgotten {
      @QueueHandler({ queue: { name: 'forgotten' } })
      onMessage(): void {}
    }
    // when
    const options = connectionTo(redis, { logging: true });
    await (await startApplication(options, { providers: [Provided] })).close();
    await (await startApplication(options, { providers: [Provided] })).close();
    // then
    const logged = lines.filter((line) => line.includes('never run'));
    expect(logged).toEqual([expect.stringContaining('Forgotten never run: no module of this application provides')]);
    expect(logged[0]).not.toMatch(/Base|Provided/);
    expect(new Forgotten()).toBeDefined();
  });
});

describe('an application that a signal would end in the middle of its handlers', () => {
  it('is logged soon after its start, unless something listens for the signal', async () => {
    // given
    @Injectable()
    class Desk {
      @QueueHandler({ queue: { name: 'signals' } })
      onMessage(): void {}
    }
    const listeners = process.listeners('SIGTERM');
    process.removeAllListeners('SIGTERM');
    const warned = () => lines.filter((line) => line.includes('SIGTERM')).length;
    // when
    const exposed = await startApplication(connectionTo(redis, { logging: true }), { providers: [Desk] });
    await waitFor(() => warned() === 1, { what: 'the warning' });
    await exposed.close();
    const safe = await createApplication(connectionTo(redis, { logging: true }), { providers: [Desk] });
    safe.enableShutdownHooks();
    await safe.init();
    // then
    expect(process.listenerCount('SIGTERM')).toBe(1);
    await safe.close();
    for (const listener of listeners) process.on('SIGTERM', listener);
    expect(lines.find((line) => line.includes('SIGTERM'))).toContain('Call app.enableShutdownHooks() in main.ts');
  });
});
