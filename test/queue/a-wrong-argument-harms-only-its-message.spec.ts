import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RetryLater } from '@millrace/core';
import { Requeue } from '@millrace/queue';
import { startRedis, stopEverything, waitFor } from '@millrace/testing';
import { type OpenBroker, openBroker, ownPrefix } from './broker.js';

describe('what a handler throws with a wrong argument', () => {
  let open: OpenBroker;
  const reports: string[] = [];
  beforeAll(async () => {
    open = await openBroker(await startRedis(), ownPrefix());
    open.broker.events.on('background-error', ({ duty, error }) => reports.push(`${duty}: ${error}`));
  });
  afterAll(async () => {
    await open.close();
    await stopEverything();
  });

  let count = 0;
  /** A queue whose consumer throws for one message, and handles nineteen. */
  async function throwing(thrown: () => unknown) {
    const queue = `q${count++}`;
    await open.broker.declareQueue({ name: queue });
    const seen = new Set<unknown>();
    const handler = (payload: unknown) => {
      if (payload === 'wrong') throw thrown();
      seen.add(payload);
    };
    const messages = ['wrong', ...Array.from({ length: 19 }, (_, number) => number)];
    for (const body of messages) await open.broker.sendToQueue(queue, body, { messageId: `${body}` });
    await open.broker.consumer({ queue, retry: false, handler }).start();
    return { queue, seen };
  }

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['"5000"', '5000'],
    ['a bigint', 5n],
    ['an object', {}],
    ['NaN', Number.NaN],
  ])(
    'delays its message by 30 s, which is reported, and the others are handled: RetryLater(%s)',
    async (_, delayMs) => {
      // given and when
      const before = reports.length;
      const { queue, seen } = await throwing(() => new RetryLater(delayMs as number));
      // then
      await waitFor(() => seen.size === 19, { what: 'the other messages' });
      const state = async () => (await open.broker.queue(queue).message('wrong'))?.state;
      await waitFor(async () => (await state()) === 'delayed', { what: 'the message to be delayed' });
      expect(await open.broker.queue(queue).counts()).toMatchObject({ ready: 0, delayed: 1, unacked: 0 });
      expect(reports.slice(before)).toEqual([
        expect.stringMatching(/^RetryLater of .*delayMs must be a number of ms, got/),
      ]);
    },
  );

  it.each<[string, () => unknown]>([
    ['"middle"', () => new Requeue('middle' as 'back')],
    ['null', () => new Requeue(null as never)],
  ])('fails its attempt, and the others are handled: Requeue(%s)', async (_, thrown) => {
    // given and when
    const { queue, seen } = await throwing(thrown);
    // then
    await waitFor(() => seen.size === 19, { what: 'the other messages' });
    const dead = open.broker.queue(`${queue}.dead-letters`).deadLetters;
    await waitFor(async () => (await dead.list()).messages.length === 1, { what: 'the dead letter' });
    const [letter] = (await dead.list()).messages;
    expect(letter?.deaths[0]?.error?.message).toMatch(/requeued to "back" or "head", got/);
  });
});
