import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Consumers, LogHandler, Millrace, MillraceModule, QueueHandler } from '@millrace/nestjs';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { Injectable } from '@nestjs/common';
import { connectionTo, startApplication } from './application.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

describe('a method that awaits the stop of its own consumer', () => {
  it('ends, is done, and nothing more is started', async () => {
    // given a handler of each half that stops itself through its handle
    const seen: string[] = [];
    @Injectable()
    class Desk {
      constructor(readonly consumers: Consumers) {}

      @LogHandler({ topic: 'orders', group: 'desk', ordering: 'partition', handlerTimeoutMs: 0 })
      async onOrder(payload: unknown): Promise<void> {
        await this.#stop('Desk.onOrder');
        seen.push(`order ${payload}`);
      }

      @QueueHandler({ queue: 'mails', concurrency: 1, handlerTimeoutMs: 0 })
      async onMail(payload: unknown): Promise<void> {
        await this.#stop('Desk.onMail');
        seen.push(`mail ${payload}`);
      }

      async #stop(handler: string): Promise<void> {
        await new Promise(setImmediate);
        await this.consumers.find(handler)?.stop();
      }
    }
    const topics = [{ name: 'orders', partitions: 1 }];
    const application = await startApplication(connectionTo(redis, { shutdownDeadlineMs: 600_000 }), {
      imports: [MillraceModule.forFeature({ topics })],
      providers: [Desk],
    });
    const { log, broker } = application.get(Millrace);

    // when each has two messages
    await log.producer().sendBatch([1, 2].map((value) => ({ topic: 'orders', value })));
    for (const payload of [1, 2]) await broker.sendToQueue('mails', payload);

    // then each handled one of them, which is done
    await waitFor(() => seen.length === 2, { what: 'both handlers' });
    await waitFor(async () => (await log.groups.lag('desk'))[0]?.committed === 1, { what: 'the commit' });
    const left = async (): Promise<string> => {
      const { ready, unacked } = await broker.queue('mails').counts();
      return `${ready} ready, ${unacked} unacked`;
    };
    await waitFor(async () => (await left()) === '1 ready, 0 unacked', { what: 'the acknowledgement' });
    expect(seen.sort()).toEqual(['mail 1', 'order 1']);
    await application.close();
  });
});
