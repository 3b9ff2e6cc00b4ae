import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DeadLetter, Drop, LogHandler, Millrace, QueueHandler, Retry, RetryLater } from '@millrace/nestjs';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import {
  type ArgumentsHost,
  type CanActivate,
  Catch,
  type ExceptionFilter,
  ForbiddenException,
  Injectable,
  type Type,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import { of } from 'rxjs';
import { connectionTo, startApplication } from './application.js';
import { channels, channelsModule, send, settled } from './channels.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

const attempts: string[] = [];

@Injectable()
@Retry({ maxRetries: 1, backoff: 0 })
class Flaky {
  @QueueHandler({ queue: 'work' })
  @LogHandler({ topic: 'work', group: 'flaky' })
  onMessage(word: string, { attempt }: { attempt: number }): void {
    attempts.push(`${word} ${attempt}`);
    if (word === 'fails') throw new Error('no');
    if (word === 'recovers' && attempt === 1) throw new Error('not yet');
    if (word === 'hopeless') throw new DeadLetter('never');
    if (word === 'forget') throw new Drop('of no use');
    if (word === 'later' && attempts.length === 1) throw new RetryLater(1);
    if (word === 'forbidden') throw new ForbiddenException();
  }
}

/** What guards may return that Nest takes for false. */
const refusals: readonly [string, CanActivate['canActivate']][] = [
  ['false', () => false],
  ['a promise of false', async () => false],
  ['an observable of false', () => of(false)],
];

function guarded(canActivate: CanActivate['canActivate']): Type {
  @Injectable()
  class Guarded {
    @QueueHandler({ queue: 'work' })
    @LogHandler({ topic: 'work', group: 'guarded' })
    @UseGuards({ canActivate })
    onMessage(word: string): void {
      attempts.push(word);
    }
  }
  return Guarded;
}

@Catch()
class Settles implements ExceptionFilter {
  catch(error: unknown, _host: ArgumentsHost): string {
    attempts.push(`filtered ${error instanceof Error ? error.message : error}`);
    return 'settled';
  }
}

@Injectable()
@Retry({ maxRetries: 1, backoff: 0 })
class Filtered {
  @QueueHandler({ queue: 'work' })
  @LogHandler({ topic: 'work', group: 'flaky' })
  @UseFilters(Settles)
  onMessage(word: string, { attempt }: { attempt: number }): void {
    attempts.push(`${word} ${attempt}`);
    if (word === 'fails') throw new Error('no');
    if (word === 'hopeless') throw new DeadLetter('never');
    if (word === 'forget') throw new Drop('of no use');
    if (word === 'later' && attempts.length === 1) throw new RetryLater(1);
  }
}

describe.each(channels)('a failure of a handler of a %s', (channel) => {
  it.each([
    ['fails', ['fails 1', 'fails 2'], 'failed'],
    ['recovers', ['recovers 1', 'recovers 2'], undefined],
    ['hopeless', ['hopeless 1'], 'rejected'],
    ['forget', ['forget 1'], undefined],
    ['later', ['later 1', 'later 1'], undefined],
    ['forbidden', ['forbidden 1'], 'failed'],
  ])('that %s is handled %j, then dead-lettered as %s', async (word, expected, reason) => {
    // given
    attempts.length = 0;
    const application = await startApplication(connectionTo(redis), {
      imports: [channelsModule()],
      providers: [Flaky],
    });
    const deaths: string[] = [];
    application.get(Millrace).events.on('dead-lettered', (death) => deaths.push(death.reason));
    // when
    await send(application, channel, word);
    await waitFor(() => attempts.length >= expected.length, { what: 'all attempts' });
    await waitFor(() => reason === undefined || deaths.length > 0, { what: 'the dead letter' });
    await settled(application, channel, 'flaky');
    await application.close();
    // then
    expect(attempts).toEqual(expected);
    expect(deaths).toEqual(reason === undefined ? [] : [reason]);
  });

  it.each([
    ['fails', ['fails 1', 'filtered no'], []],
    ['hopeless', ['hopeless 1'], ['rejected']],
    ['forget', ['forget 1'], []],
    ['later', ['later 1', 'later 1'], []],
  ])(
    'that %s is settled by a filter that answers, and a decision is not shown to it',
    async (word, expected, reasons) => {
      // given
      attempts.length = 0;
      const application = await startApplication(connectionTo(redis), {
        imports: [channelsModule()],
        providers: [Filtered],
      });
      const deaths: string[] = [];
      application.get(Millrace).events.on('dead-lettered', (death) => deaths.push(death.reason));
      // when
      await send(application, channel, word);
      await waitFor(() => attempts.length >= expected.length, { what: 'all attempts' });
      await settled(application, channel, 'flaky');
      await application.close();
      // then
      expect(attempts).toEqual(expected);
      expect(deaths).toEqual(reasons);
    },
  );

  it.each(refusals)('whose guard answers %s is none of the handler, and not retried', async (_answer, canActivate) => {
    // given
    attempts.length = 0;
    const application = await startApplication(connectionTo(redis), {
      imports: [channelsModule()],
      providers: [guarded(canActivate)],
    });
    const deaths: unknown[] = [];
    application.get(Millrace).events.on('dead-lettered', ({ error }) => deaths.push(error));
    // when
    await send(application, channel, 'hello');
    await waitFor(() => deaths.length === 1, { what: 'the dead letter' });
    await settled(application, channel, 'guarded');
    // then
    expect(deaths).toHaveLength(1);
    expect(deaths[0]).toBeInstanceOf(ForbiddenException);
    expect(attempts).toEqual([]);
    await application.close();
  });
});
