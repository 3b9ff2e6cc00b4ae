import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RecordContext } from '@millrace/log';
import { LogHandler, Millrace, MillraceModule, QueueHandler, Retry } from '@millrace/nestjs';
import type { MessageContext } from '@millrace/queue';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { Injectable } from '@nestjs/common';
import { connectionTo, startApplication } from './application.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

const times = { handlerTimeoutMs: 200, abortGraceMs: 100 };

describe('a method that never ends', () => {
  it('is given up after its grace, and called again with a new signal and a higher fencing number', async () => {
    // given a handler of each half that hangs at its first attempt, whatever its signal says
    const seen: string[] = [];
    const hangOnce = ({ attempt, signal }: RecordContext | MessageContext, fence: number): unknown => {
      seen.push(`attempt ${attempt} aborted ${signal.aborted} fence ${fence}`);
      return attempt === 1 ? new Promise(() => undefined) : undefined;
    };
    @Injectable()
    class Desk {
      @LogHandler({ topic: 'orders', group: 'desk', ...times })
      @Retry({ maxRetries: 1, backoff: 1 })
      onOrder(_payload: unknown, context: RecordContext): unknown {
        return hangOnce(context, context.epoch);
      }

      @QueueHandler({ queue: 'mails', ...times })
      @Retry({ maxRetries: 1, backoff: 1 })
      onMail(_payload: unknown, context: MessageContext): unknown {
        return hangOnce(context, context.deliveryCount);
      }
    }
    const topics = [{ name: 'orders', partitions: 1 }];
    const application = await startApplication(connectionTo(redis), {
      imports: [MillraceModule.forFeature({ topics })],
      providers: [Desk],
    });
    const { log, broker } = application.get(Millrace);

    // when each has a message
    await log.producer().send({ topic: 'orders', key: 'a', value: 1 });
    await waitFor(() => seen.length === 2, { what: 'two attempts at the record' });
    await broker.sendToQueue('mails', 1);
    await waitFor(() => seen.length === 4, { what: 'two attempts at the message' });

    // then
    expect(seen).toEqual([
      'attempt 1 aborted false fence 1',
      'attempt 2 aborted false fence 2',
      'attempt 1 aborted false fence 0',
      'attempt 2 aborted false fence 1',
    ]);
    await waitFor(async () => (await log.groups.lag('desk'))[0]?.lag === 0, { what: 'the commit' });
    await application.close();
  });
});
