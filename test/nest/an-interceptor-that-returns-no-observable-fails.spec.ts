import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LogBatchHandler, LogHandler, Millrace, QueueBatchHandler, QueueHandler } from '@millrace/nestjs';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { connectionTo, startApplication } from './application.js';
import { channels, channelsModule, send, settled } from './channels.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

/** What an interceptor returns that forgets to return, at all or in a branch, or that was written for another framework. */
const returned: Readonly<Record<string, () => unknown>> = {
  nothing: () => undefined,
  'nothing later': async () => undefined,
  'an object': () => ({ secret: 'of the application' }),
  'a list': () => ['a'],
};
const words = Object.keys(returned);
const intercepted: string[] = [];
const handled: unknown[] = [];

function wordOf(payload: unknown): string {
  return Array.isArray(payload) ? payload[0].payload : String(payload);
}

class Forgets implements NestInterceptor {
  intercept(host: ExecutionContext, next: CallHandler): never {
    const word = wordOf(host.switchToRpc().getData());
    intercepted.push(word);
    const answer = next.handle();
    return (word in returned ? returned[word]?.() : answer) as never;
  }
}

class Passes implements NestInterceptor {
  intercept(_: unknown, next: CallHandler): ReturnType<CallHandler['handle']> {
    return next.handle();
  }
}

const retry = { maxRetries: 1, backoff: 0 };

@Injectable()
class Singles {
  @UseInterceptors(Passes, Forgets)
  @QueueHandler({ queue: 'work', retry })
  @LogHandler({ topic: 'work', group: 'g', retry })
  on(payload: unknown): string {
    handled.push(payload);
    return 'handled';
  }
}

@Injectable()
class Batches {
  @UseInterceptors(Forgets)
  @QueueBatchHandler({ queue: 'work', batch: { maxMessages: 1 }, retry })
  onMessages(batch: unknown): void {
    handled.push(wordOf(batch));
  }

  @UseInterceptors(Forgets)
  @LogBatchHandler({ topic: 'work', group: 'g', batch: { maxRecords: 1 }, retry })
  onRecords(batch: unknown): void {
    handled.push(wordOf(batch));
  }
}

describe.each(channels)('a message of a %s whose interceptor returns no Observable', (channel) => {
  it.each([
    ['alone', Singles, 'Singles.on'],
    ['in a batch', Batches, 'Batches.onMessages'],
  ])('is retried, then dead-lettered with what to do: %s', async (_how, handlers, name) => {
    // given
    handled.length = 0;
    intercepted.length = 0;
    const application = await startApplication(connectionTo(redis), {
      imports: [channelsModule()],
      providers: [handlers],
    });
    const errors: string[] = [];
    application.get(Millrace).events.on('dead-lettered', ({ error }) => errors.push((error as Error).message));
    // when
    for (const word of [...words, 'well']) await send(application, channel, word);
    await settled(application, channel, 'g');
    await waitFor(() => errors.length === words.length, { what: 'the dead letters' });
    await waitFor(() => handled.length > 0, { what: 'the message that is well' });
    await application.close();
    // then
    expect(handled).toEqual(['well']);
    expect(intercepted.filter((word) => word !== 'well').sort()).toEqual([...words, ...words].sort());
    const where = `Forgets.intercept around ${channel === 'log' ? name.replace('Messages', 'Records') : name}`;
    const kinds = ['undefined', 'a promise of undefined', 'an object', 'an object'];
    expect(errors.map((message) => message.split(', which')[0]).sort()).toEqual(
      kinds.map((kind) => `${where} returned ${kind}`).sort(),
    );
    for (const message of errors) expect(message).toContain('return next.handle()');
  });
});

describe('a request whose interceptor returns no Observable', () => {
  it('fails', async () => {
    const application = await startApplication(connectionTo(redis), {
      imports: [channelsModule()],
      providers: [Singles],
    });
    const { broker } = application.get(Millrace);
    expect(await broker.request('', 'work', 'well')).toBe('handled');
    await expect(broker.request('', 'work', 'nothing')).rejects.toMatchObject({
      name: 'RemoteError',
      message: expect.stringContaining('returned undefined'),
    });
    await application.close();
  });
});
