import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { LogHandler, Millrace, QueueHandler } from '@millrace/nestjs';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import {
  type CallHandler,
  type CanActivate,
  Catch,
  type ExceptionFilter,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  type PipeTransform,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import type { Observable } from 'rxjs';
import { connectionTo, createApplication } from './application.js';
import { channels, channelsModule, send } from './channels.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

const seen: string[] = [];
beforeEach(() => {
  seen.length = 0;
});

/** Every kind of enhancer, each of which leaves its mark. */
function marks(where: string) {
  class Guard implements CanActivate {
    canActivate(context: ExecutionContext): boolean {
      seen.push(`${where} guard ${context.getType()}`);
      return true;
    }
  }
  class Interceptor implements NestInterceptor {
    intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
      seen.push(`${where} interceptor`);
      return next.handle();
    }
  }
  class Pipe implements PipeTransform {
    transform(value: unknown): unknown {
      seen.push(`${where} pipe`);
      return value;
    }
  }
  @Catch()
  class Filter implements ExceptionFilter {
    catch(error: Error): string {
      seen.push(`${where} filter ${error.message}`);
      return 'settled';
    }
  }
  return { Guard, Interceptor, Pipe, Filter };
}

@Injectable()
class Handlers {
  @QueueHandler({ queue: 'work' })
  @LogHandler({ topic: 'work', group: 'module' })
  asTheModuleSays(payload: string): void {
    seen.push(`handled ${payload}`);
    if (payload === 'bad') throw new Error('no');
  }
}

@Injectable()
class OptedOut {
  @QueueHandler({ queue: 'work', globalEnhancers: false })
  @LogHandler({ topic: 'work', group: 'module', globalEnhancers: false })
  alone(payload: string): void {
    seen.push(`handled ${payload}`);
  }
}

async function start(globalEnhancers: boolean | undefined, handlers: typeof Handlers | typeof OptedOut = Handlers) {
  const app = marks('APP');
  const use = marks('useGlobal');
  const options = connectionTo(redis, globalEnhancers === undefined ? {} : { globalEnhancers });
  const application = await createApplication(options, {
    imports: [channelsModule()],
    providers: [
      handlers,
      { provide: APP_GUARD, useClass: app.Guard },
      { provide: APP_INTERCEPTOR, useClass: app.Interceptor },
      { provide: APP_PIPE, useClass: app.Pipe },
      { provide: APP_FILTER, useClass: app.Filter },
    ],
  });
  application.useGlobalGuards(new use.Guard()).useGlobalInterceptors(new use.Interceptor());
  application.useGlobalPipes(new use.Pipe());
  await application.init();
  return application;
}

describe.each(channels)('global enhancers, for a handler of a %s', (channel) => {
  it('do not run unless they are asked for', async () => {
    // given
    const application = await start(undefined);
    // when
    await send(application, channel, 'good');
    await waitFor(() => seen.includes('handled good'), { what: 'the handler' });
    await application.close();
    // then
    expect(seen).toEqual(['handled good']);
  });

  it('run, of APP_… and of useGlobal…, when the module asks for them', async () => {
    // given
    const application = await start(true);
    const deaths: unknown[] = [];
    application.get(Millrace).events.on('dead-lettered', (death) => deaths.push(death));
    // when
    await send(application, channel, 'bad');
    await waitFor(() => seen.some((mark) => mark.includes('filter')), { what: 'the filter' });
    await application.close();
    // then
    expect(seen.filter((mark) => mark.includes('guard')).sort()).toEqual([
      'APP guard millrace',
      'useGlobal guard millrace',
    ]);
    expect(seen.filter((mark) => mark.includes('interceptor')).sort()).toEqual([
      'APP interceptor',
      'useGlobal interceptor',
    ]);
    expect(seen.filter((mark) => mark.includes('pipe')).length).toBeGreaterThanOrEqual(2);
    expect(seen.at(-1)).toBe('APP filter no');
    expect(deaths).toEqual([]);
  });

  it('do not run on a handler that wants none, whatever the module says', async () => {
    // given
    const application = await start(true, OptedOut);
    // when
    await send(application, channel, 'good');
    await waitFor(() => seen.includes('handled good'), { what: 'the handler' });
    await application.close();
    // then
    expect(seen).toEqual(['handled good']);
  });
});
