import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Consumers, LogHandler, QueueHandler } from '@millrace/nestjs';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { type INestApplication, Injectable } from '@nestjs/common';
import { connectionTo, createApplication, startApplication } from './application.js';
import { channels, channelsModule, send } from './channels.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

/** Below one per second: one every 1,200 ms. */
const rate = { limit: 5, intervalMs: 6000 };
const everyMs = 1200;
/** Redis counts in whole ms, by another clock. */
const toleranceMs = 30;

describe.each(channels)('the rate of a handler of a %s', (channel) => {
  let begun: number[] = [];
  const note = (): void => void begun.push(performance.now());

  /** Sends two payloads, and returns how long it took until the second was handled: a slow machine makes it longer, never shorter. */
  async function timeOfTwo(application: INestApplication): Promise<number> {
    const sent = performance.now();
    for (const payload of [1, 2]) await send(application, channel, payload);
    await waitFor(() => begun.length === 2, { what: 'both' });
    return (begun[1] ?? 0) - sent;
  }

  it('is kept by a decorated method', async () => {
    // given
    @Injectable()
    class Slow {
      @QueueHandler({ queue: 'work', rate })
      onMessage(): void {
        note();
      }

      @LogHandler({ topic: 'work', group: 'slow', rate })
      onRecord(): void {
        note();
      }
    }
    begun = [];
    const application = await startApplication(connectionTo(redis), {
      imports: [channelsModule()],
      providers: [Slow],
    });
    // when
    const took = await timeOfTwo(application);
    // then
    expect(took).toBeGreaterThan(everyMs - toleranceMs);
    await application.close();
  });

  it('is kept by a run-time subscription', async () => {
    // given
    begun = [];
    const application = await startApplication(connectionTo(redis), { imports: [channelsModule()] });
    const consumers = application.get(Consumers);
    if (channel === 'queue') await consumers.subscribeQueue({ queue: 'work', rate }, note);
    else await consumers.subscribeLog({ topic: 'work', group: 'slow', rate }, note);
    // when
    const took = await timeOfTwo(application);
    // then
    expect(took).toBeGreaterThan(everyMs - toleranceMs);
    await application.close();
  });

  it('stops the start when it is none, with the handler and what was given', async () => {
    // given
    const wrong = { rate: { limit: 0, intervalMs: 1000 } };
    @Injectable()
    class Wrong {
      onMessage(): void {}
    }
    const decorate =
      channel === 'queue'
        ? QueueHandler({ queue: 'work', ...wrong })
        : LogHandler({ topic: 'work', group: 'slow', ...wrong });
    decorate(Wrong.prototype, 'onMessage', Object.getOwnPropertyDescriptor(Wrong.prototype, 'onMessage') as never);
    const application = await createApplication(connectionTo(redis), { providers: [Wrong] });
    // when
    const start = application.init();
    // then
    await expect(start).rejects.toMatchObject({
      problems: [expect.stringMatching(/^Wrong\.onMessage: rate\.limit must be .*got 0/)],
    });
    await application.close();
  });
});
