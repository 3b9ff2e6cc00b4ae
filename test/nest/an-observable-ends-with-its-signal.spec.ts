import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LogHandler, Millrace, QueueHandler } from '@millrace/nestjs';
import { MillraceClient, MillraceServer } from '@millrace/nestjs/transport';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { Controller, Injectable, type NestInterceptor, UseInterceptors } from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';
import { firstValueFrom, map, Observable } from 'rxjs';
import { connectionTo, createApplication, startApplication } from './application.js';
import { channels, channelsModule, send } from './channels.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

const seen: string[] = [];

/** Never ends by itself. */
function endless(): Observable<number> {
  return new Observable((subscriber) => {
    seen.push('subscribed');
    subscriber.next(1);
    return () => seen.push('unsubscribed');
  });
}

class Passes implements NestInterceptor {
  intercept(_: unknown, next: { handle(): Observable<unknown> }): Observable<unknown> {
    return next.handle().pipe(map((value) => value));
  }
}

const once = { retry: false, handlerTimeoutMs: 20 } as const;

@Injectable()
class Plain {
  @QueueHandler({ queue: 'work', ...once })
  @LogHandler({ topic: 'work', group: 'g', ...once })
  on(): Observable<number> {
    return endless();
  }
}

@Injectable()
class Intercepted {
  @UseInterceptors(Passes)
  @QueueHandler({ queue: 'work', ...once })
  @LogHandler({ topic: 'work', group: 'g', ...once })
  on(): Observable<number> {
    return endless();
  }
}

@Injectable()
class Promised {
  @QueueHandler({ queue: 'work', ...once })
  @LogHandler({ topic: 'work', group: 'g', ...once })
  async on(): Promise<Observable<number>> {
    return endless();
  }
}

@Injectable()
class PromisedAndIntercepted {
  @UseInterceptors(Passes)
  @QueueHandler({ queue: 'work', ...once })
  @LogHandler({ topic: 'work', group: 'g', ...once })
  async on(): Promise<Observable<number>> {
    return endless();
  }
}

@Controller()
class Events {
  @EventPattern<string>('work')
  on(): Observable<number> {
    return endless();
  }
}

@Injectable()
class Patient {
  @QueueHandler({ queue: 'work' })
  on(): Observable<number> {
    return endless();
  }
}

describe.each(channels)('an observable that a handler of a %s returned', (channel) => {
  it.each([
    ['as it is', Plain],
    ['through an interceptor', Intercepted],
    ['by a promise', Promised],
    ['by a promise, through an interceptor', PromisedAndIntercepted],
  ])('is unsubscribed when its deadline passes: %s', async (_way, handlers) => {
    // given
    seen.length = 0;
    const application = await startApplication(connectionTo(redis), {
      imports: [channelsModule()],
      providers: [handlers],
    });
    const names: string[] = [];
    application.get(Millrace).events.on('dead-lettered', ({ error }) => names.push((error as Error).name));
    // when
    await send(application, channel, 'a');
    // then
    await waitFor(() => names.length === 1, { what: 'the dead letter' });
    expect([seen, names]).toEqual([['subscribed', 'unsubscribed'], ['DeadlineExceededError']]);
    await application.close();
  });
});

describe('an observable that handles an event of the transport', () => {
  it('is unsubscribed when its deadline passes', async () => {
    // given
    seen.length = 0;
    const application = await createApplication(connectionTo(redis), { controllers: [Events] });
    const millrace = application.get(Millrace);
    const strategy = new MillraceServer({ connection: millrace, queue: 'events', ...once });
    const service = application.connectMicroservice({ strategy });
    await application.init();
    await service.listen();
    const client = new MillraceClient({ connection: millrace });
    const names: string[] = [];
    millrace.events.on('dead-lettered', ({ error }) => names.push((error as Error).name));
    // when
    await firstValueFrom(client.emit('work', 'a'));
    // then
    await waitFor(() => names.length === 1, { what: 'the dead letter' });
    expect([seen, names]).toEqual([['subscribed', 'unsubscribed'], ['DeadlineExceededError']]);
    await client.close();
    await application.close();
  });
});

describe('an observable that handles a request', () => {
  it('is unsubscribed when the request is cancelled', async () => {
    // given
    seen.length = 0;
    const application = await startApplication(connectionTo(redis), {
      imports: [channelsModule()],
      providers: [Patient],
    });
    const cancel = new AbortController();
    const { signal } = cancel;
    const answer = application.get(Millrace).broker.request('', 'work', 'a', { signal });
    answer.catch(() => undefined);
    await waitFor(() => seen.includes('subscribed'), { what: 'the request to be handled' });
    // when
    cancel.abort(new Error('no longer wanted'));
    // then
    await expect(answer).rejects.toThrow('no longer wanted');
    await waitFor(() => seen.includes('unsubscribed'), { what: 'the observable to be unsubscribed' });
    await application.close();
  });
});
