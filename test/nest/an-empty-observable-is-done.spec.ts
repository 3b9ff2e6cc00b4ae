import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LogHandler, Millrace, QueueHandler } from '@millrace/nestjs';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { Injectable, type NestInterceptor, UseInterceptors } from '@nestjs/common';
import { EMPTY, filter, type Observable, of } from 'rxjs';
import { connectionTo, startApplication } from './application.js';
import { channels, channelsModule, send } from './channels.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

/** Does not let the handler run: a repetition, say, that it knows. */
class AnswersNothing implements NestInterceptor {
  intercept(): Observable<never> {
    return EMPTY;
  }
}

class FiltersTheAnswer implements NestInterceptor {
  intercept(_: unknown, next: { handle(): Observable<unknown> }): Observable<unknown> {
    return next.handle().pipe(filter((answer) => answer !== undefined));
  }
}

@Injectable()
class Intercepted {
  @UseInterceptors(AnswersNothing)
  @LogHandler({ topic: 'work', group: 'g', retry: false })
  @QueueHandler({ queue: 'work', retry: false })
  on(): void {
    throw new Error('it was not to run');
  }
}

@Injectable()
class Filtered {
  @UseInterceptors(FiltersTheAnswer)
  @LogHandler({ topic: 'work', group: 'g', retry: false })
  @QueueHandler({ queue: 'work', retry: false })
  on(): void {}
}

@Injectable()
class AnswersEmpty {
  @LogHandler({ topic: 'work', group: 'g', retry: false })
  @QueueHandler({ queue: 'work', retry: false })
  on(): Observable<never> {
    return EMPTY;
  }
}

@Injectable()
class AnswersEmptyLater {
  @LogHandler({ topic: 'work', group: 'g', retry: false })
  @QueueHandler({ queue: 'work', retry: false })
  async on(): Promise<Observable<unknown>> {
    return of(1).pipe(filter(() => false));
  }
}

describe.each(channels)('a message of a %s', (channel) => {
  it.each([
    ['whose interceptor answers EMPTY', Intercepted],
    ['whose interceptor lets no value through', Filtered],
    ['whose handler answers EMPTY', AnswersEmpty],
    ['whose handler promises a stream without values', AnswersEmptyLater],
  ])('%s is done', async (_what, handlers) => {
    // given
    const application = await startApplication(connectionTo(redis), {
      imports: [channelsModule()],
      providers: [handlers],
    });
    const outcomes: string[] = [];
    application.get(Millrace).events.on('handled', ({ outcome }) => outcomes.push(outcome));
    // when
    await send(application, channel, 1);
    await waitFor(() => outcomes.length > 0, { what: 'the outcome' });
    // then
    expect(outcomes).toEqual(['completed']);
    await application.close();
  });
});
