import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LogHandler, Millrace, QueueHandler } from '@millrace/nestjs';
import { MillraceClient, MillraceServer } from '@millrace/nestjs/transport';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { Controller, Injectable } from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { firstValueFrom } from 'rxjs';
import { connectionTo, startApplication } from './application.js';
import { channels, channelsModule, send } from './channels.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

const seen: unknown[] = [];

async function* steps(payload: unknown): AsyncGenerator<string> {
  seen.push(`begins ${payload}`);
  yield 'one';
  yield 'two';
  seen.push(`ends ${payload}`);
}

@Injectable()
class Asynchronous {
  @QueueHandler({ queue: 'work' })
  @LogHandler({ topic: 'work', group: 'g' })
  on(payload: unknown): AsyncGenerator<string> {
    return steps(payload);
  }
}

@Injectable()
class Synchronous {
  @QueueHandler({ queue: 'work' })
  @LogHandler({ topic: 'work', group: 'g' })
  *on(payload: unknown): Generator<string> {
    seen.push(`begins ${payload}`);
    yield 'one';
    seen.push(`ends ${payload}`);
  }
}

@Injectable()
class Promised {
  @QueueHandler({ queue: 'work' })
  @LogHandler({ topic: 'work', group: 'g' })
  async on(payload: unknown): Promise<AsyncGenerator<string>> {
    return steps(payload);
  }
}

@Injectable()
class BesideAnother {
  @QueueHandler({ queue: 'work' })
  @LogHandler({ topic: 'work', group: 'g' })
  on(payload: unknown): AsyncGenerator<string> {
    return steps(payload);
  }

  @QueueHandler({ queue: 'work' })
  @LogHandler({ topic: 'work', group: 'g' })
  other(): void {}
}

@Injectable()
class Failing {
  @QueueHandler({ queue: 'work', retry: false })
  @LogHandler({ topic: 'work', group: 'g', retry: false })
  async *on(): AsyncGenerator<string> {
    yield 'one';
    throw new Error('half-way');
  }
}

@Controller()
class Events {
  @EventPattern('work')
  on(payload: unknown): AsyncGenerator<string> {
    return steps(payload);
  }
}

describe.each(channels)('a generator that handles messages of a %s', (channel) => {
  it.each([
    ['asynchronous', Asynchronous],
    ['synchronous', Synchronous],
    ['promised', Promised],
    ['beside another handler', BesideAnother],
  ])('runs to its end for a message that is no request: %s', async (_kind, handlers) => {
    // given
    seen.length = 0;
    const application = await startApplication(connectionTo(redis), {
      imports: [channelsModule()],
      providers: [handlers],
    });
    // when
    await send(application, channel, 'a');
    // then
    await waitFor(() => seen.length >= 2, { what: 'the end of the generator' });
    expect(seen).toEqual(['begins a', 'ends a']);
    await application.close();
  });

  it('fails with what it throws', async () => {
    // given
    const application = await startApplication(connectionTo(redis), {
      imports: [channelsModule()],
      providers: [Failing],
    });
    const errors: unknown[] = [];
    application.get(Millrace).events.on('dead-lettered', ({ error }) => errors.push(error));
    // when
    await send(application, channel, 'a');
    // then
    await waitFor(() => errors.length === 1, { what: 'the dead letter' });
    expect(errors).toEqual([expect.objectContaining({ message: 'half-way' })]);
    await application.close();
  });
});

describe('a generator that handles a request', () => {
  it('brings its requester all that it yields, then what it throws', async () => {
    // given
    const application = await startApplication(connectionTo(redis), {
      imports: [channelsModule()],
      providers: [Failing],
    });
    const replies: unknown[] = [];
    const read = async (): Promise<void> => {
      for await (const reply of application.get(Millrace).broker.requestStream('', 'work', 'a')) replies.push(reply);
    };
    // when
    await expect(read()).rejects.toMatchObject({ message: 'Error: half-way' });
    // then
    expect(replies).toEqual(['one']);
    await application.close();
  });
});

describe('a generator that handles events of the transport', () => {
  it('runs to its end', async () => {
    // given
    seen.length = 0;
    const { connection } = connectionTo(redis);
    const module = await Test.createTestingModule({ controllers: [Events] }).compile();
    const strategy = new MillraceServer({ connection, queue: 'events' });
    const service = module.createNestMicroservice({ strategy, logger: false });
    await service.listen();
    const client = new MillraceClient({ connection });
    // when
    await firstValueFrom(client.emit('work', 'a'));
    // then
    await waitFor(() => seen.length >= 2, { what: 'the end of the generator' });
    expect(seen).toEqual(['begins a', 'ends a']);
    await client.close();
    await service.close();
  });
});
