import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { UnavailableError } from '@millrace/core';
import { Broker, type MessageHandler, type QueueHandle } from '@millrace/queue';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { type OpenBroker, openBroker, ownPrefix } from './broker.js';

const calls: Record<string, (queue: QueueHandle) => Promise<unknown>> = {
  counts: (queue) => queue.counts(),
  message: (queue) => queue.message('m'),
  cancel: (queue) => queue.cancel('m'),
  remove: (queue) => queue.remove('m'),
  ready: (queue) => queue.ready(),
  delayed: (queue) => queue.delayed(),
  parked: (queue) => queue.parked(),
  unpark: (queue) => queue.unpark(),
  pause: (queue) => queue.pause(),
  resume: (queue) => queue.resume(),
  isPaused: (queue) => queue.isPaused(),
  'deadLetters.list': (queue) => queue.deadLetters.list(),
  'deadLetters.get': (queue) => queue.deadLetters.get('m'),
  'deadLetters.edit': (queue) => queue.deadLetters.edit('m', { payload: 1 }),
  'deadLetters.redrive': (queue) => queue.deadLetters.redrive(),
  'deadLetters.purge': (queue) => queue.deadLetters.purge(),
};

describe('while Redis is away', () => {
  let server: RedisServer;
  let open: OpenBroker;
  let impatient: Broker;
  let reported: Promise<unknown>;
  let handler: MessageHandler;
  beforeAll(async () => {
    // given a queue, and a handler that reports its progress when Redis is gone
    server = await startRedis();
    open = await openBroker(server, ownPrefix());
    await open.broker.declareQueue({ name: 'work' });
    let isKilled = (): void => undefined;
    const killed = new Promise<void>((resolve) => {
      isKilled = resolve;
    });
    const running = new Promise<void>((isRunning) => {
      reported = new Promise((report) => {
        handler = async (_, context) => {
          isRunning();
          await killed;
          report(await context.progress(50).catch((error: unknown) => error));
        };
      });
    });
    await open.broker.consumer({ queue: 'work', handler }).start();
    await open.broker.sendToQueue('work', 1);
    await running;
    // when
    await server.kill();
    isKilled();
    await waitFor(() => !open.connection.isUp, { what: 'the outage to be noticed' });
    impatient = new Broker(open.connection, { deliveryTimeoutMs: 50, upkeep: false });
  });
  afterAll(async () => {
    await open.close();
    await stopEverything();
  });

  it.each(Object.entries(calls))('%s waits for it as long as a publish, and says which queue', async (_, call) => {
    const error: unknown = await call(impatient.queue('work')).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({
      message: expect.stringMatching(/^could not reach queue "work": Redis is away: .* Waited 50 ms for it\.$/),
    });
  });

  it('progress() of a handler does too', async () => {
    const error = await reported;
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({
      message: expect.stringMatching(/^could not report the progress of message .* of queue "work"/),
    });
  });

  it('and every one of them works when it is back', async () => {
    await server.restart();
    const queue = open.broker.queue('work');
    await waitFor(() => open.broker.declareQueue({ name: 'work' }), { what: 'Redis to be back' });
    for (const call of Object.values(calls)) await expect(call(queue)).resolves.not.toBeInstanceOf(Error);
  });
});
