import { afterAll, expect, it } from '@jest/globals';
import { InvalidMessageError } from '@millrace/core';
import { startRedis, stopEverything } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

afterAll(stopEverything);

it('a request whose id was published before fails immediately, and the first one has its reply', async () => {
  // given a request that is being handled
  const { broker, close } = await openBroker(await startRedis(), ownPrefix());
  await broker.declareQueue({ name: 'q' });
  let end = (): void => undefined;
  let isAborted: (() => boolean) | undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const options = { messageId: 'order-7', timeoutMs: Number.POSITIVE_INFINITY };
  let first: Promise<unknown> | undefined;
  await new Promise<void>((isRunning) => {
    const handler = async (payload: unknown, { signal }: { readonly signal: AbortSignal }) => {
      isAborted = () => signal.aborted;
      isRunning();
      await ended;
      return payload;
    };
    const consumer = broker.consumer({ queue: 'q', handler });
    first = consumer.start().then(() => broker.request('', 'q', 'first', options));
  });
  // when
  const again: unknown = await broker.request('', 'q', 'again', options).catch((error: unknown) => error);
  // then
  expect(again).toBeInstanceOf(InvalidMessageError);
  expect(again).toMatchObject({ message: expect.stringMatching(/"order-7" was published before to "q"/) });
  expect((await broker.queue('q').message('order-7'))?.state).toBe('running');
  end();
  await expect(first).resolves.toBe('first');
  expect(isAborted?.()).toBe(false);
  await close();
});
