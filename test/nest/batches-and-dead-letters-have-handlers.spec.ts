import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LogBatchHandler, LogHandler, OnDeadLetter, QueueBatchHandler, QueueHandler, Retry } from '@millrace/nestjs';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { type CanActivate, Injectable, UseGuards } from '@nestjs/common';
import { connectionTo, startApplication } from './application.js';
import { channels, channelsModule, send } from './channels.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

const seen: string[] = [];

class CountsBatches implements CanActivate {
  canActivate(): boolean {
    seen.push('guard');
    return true;
  }
}

@Injectable()
class Batches {
  @QueueBatchHandler({ queue: 'work', batch: { maxMessages: 3, maxWaitMs: 20_000 }, retry: false })
  @UseGuards(CountsBatches)
  onMessages(batch: readonly { payload: number }[]): unknown[] {
    seen.push(batch.map(({ payload }) => payload).join(' '));
    return batch.map(({ payload }) => (payload === 2 ? new Error('two is wrong') : undefined));
  }

  @LogBatchHandler({ topic: 'work', group: 'batches', batch: { maxRecords: 3, lingerMs: 20_000 }, retry: false })
  @UseGuards(CountsBatches)
  onRecords(batch: readonly { payload: number; offset: number }[], context: BatchOfRecords): void {
    seen.push(batch.map(({ payload }) => payload).join(' '));
    for (const record of batch) if (record.payload === 2) context.fail(record, new Error('two is wrong'));
  }

  @OnDeadLetter({ queue: 'work' })
  onDeadMessage(payload: number, context: { deaths: readonly { reason: string }[] }): void {
    seen.push(`dead ${payload} ${context.deaths[0]?.reason}`);
  }

  @OnDeadLetter({ topic: 'work', group: 'undertaker' })
  onDeadRecord(payload: number, context: { headers: Readonly<Record<string, unknown>> }): void {
    seen.push(`dead ${payload} ${context.headers['millrace-dead-reason'] ?? Object.keys(context.headers).join()}`);
  }
}

interface BatchOfRecords {
  fail(record: { readonly offset: number }, error: unknown): void;
}

describe.each(channels)('handlers of a %s', (channel) => {
  it('get batches within their guards, and say of each message what became of it', async () => {
    // given
    seen.length = 0;
    const application = await startApplication(connectionTo(redis), {
      imports: [channelsModule()],
      providers: [Batches],
    });
    // when
    for (const n of [1, 2, 3]) await send(application, channel, n);
    await waitFor(() => seen.length >= 3, { what: 'the batch and the dead letter' });
    // then
    expect(seen.slice(0, 2)).toEqual(['guard', '1 2 3']);
    expect(seen[2]).toMatch(/^dead 2 /);
    await application.close();
  });
});

describe('several log handlers of one group and topic', () => {
  it('each see the records they want, and both run again when one fails', async () => {
    // given
    seen.length = 0;
    @Injectable()
    @Retry({ maxRetries: 1, backoff: 0 })
    class Typed {
      @LogHandler({
        topic: 'work',
        group: 'typed',
        when: ({ headers, topic }) => headers.type === 'a' && topic === 'work',
      })
      onA(): void {
        seen.push('a');
      }

      @LogHandler({ topic: 'work', group: 'typed' })
      onAny(payload: number, { attempt }: { attempt: number }): void {
        seen.push(`any ${payload} ${attempt}`);
        if (payload === 1 && attempt === 1) throw new Error('once more');
      }

      @QueueHandler({ queue: 'work' })
      onQueue(): void {}
    }
    const application = await startApplication(connectionTo(redis), {
      imports: [channelsModule()],
      providers: [Typed],
    });
    // when
    await send(application, 'log', 1, { type: 'a' });
    await send(application, 'log', 2, { type: 'b' });
    await waitFor(() => seen.length >= 5, { what: 'five calls' });
    // then
    expect(seen.sort()).toEqual(['a', 'a', 'any 1 1', 'any 1 2', 'any 2 1']);
    await application.close();
  });
});
