import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { Fifo } from '@millrace/core';
import { resolveConsumer } from '../consumer/consumer-options.js';
import { Taken } from '../store/taken.js';
import { Dispatcher } from './dispatcher.js';
import type { HeldMessage, MessageOrigin } from './held-message.js';
import { MessageBuffer } from './message-buffer.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as (options?: { readonly type: 'minor' }) => void;

/** Bytes of what has outlived collections of the young. */
const oldBytes = (): number =>
  getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')?.space_used_size ?? 0;

const origin: MessageOrigin = {
  index: 0,
  deliveryLimit: 20,
  queue: 'work',
  keyOf: (id) => id,
  reportProgress: async () => true,
  holds: () => true,
  keys: undefined,
  outbox: { keepsCompleted: false, acknowledge: () => undefined, settle: () => undefined },
};
const frame = Buffer.from('a frame');
const messages = (from: number, to: number): Fifo<Taken> =>
  new Fifo(Array.from({ length: to - from }, (_, index) => new Taken(`${from + index}`, frame)));

/** What a consumer holds, with nothing that ends by itself. */
function consumerOf(input: { readonly concurrency: number; readonly prefetch?: number }) {
  const running: HeldMessage[] = [];
  const back: string[] = [];
  const options = resolveConsumer({ queue: 'work', handler: () => undefined, ...input });
  const buffer = new MessageBuffer(options, () => undefined);
  const dispatcher = new Dispatcher(
    options,
    buffer,
    () => ({ start: (unit) => void running.push(...unit), begun: () => undefined }),
    { isQuiet: () => true, giveBack: (given) => void back.push(...given.map(({ id }) => id)) },
  );
  const end = (count: number, tookMs = 0.001): void => {
    for (const held of running.splice(0, count)) {
      buffer.remove(held);
      dispatcher.unitEnded(1, tookMs);
    }
  };
  return { buffer, dispatcher, running, end, back };
}

describe('what a consumer holds', () => {
  it('runs on `begin`, as many simultaneously as may run, in order', () => {
    // given
    const { buffer, dispatcher, running, end } = consumerOf({ concurrency: 2 });
    buffer.add(origin, messages(0, 5));
    expect(running).toHaveLength(0);
    // when, then
    dispatcher.begin();
    expect(running.map(({ id }) => id)).toEqual(['0', '1']);
    end(1);
    expect(running.map(({ id }) => id)).toEqual(['1', '2']);
    expect(buffer.count).toBe(4);
  });

  it('is asked for by thirds or, where it is bound, by halves: one is fetched while another is handled; but as many as may run', () => {
    // given
    const fast = consumerOf({ concurrency: 10 });
    const unknown = consumerOf({ concurrency: 10 });
    const bound = consumerOf({ concurrency: 10, prefetch: 12 });
    const batches = new MessageBuffer(
      resolveConsumer({ queue: 'work', batchHandler: () => undefined, concurrency: 1, batch: { maxMessages: 50 } }),
      () => undefined,
    );
    // when one has shown that its handlers are fast
    fast.buffer.add(origin, messages(0, 10));
    fast.dispatcher.begin();
    fast.end(10);
    // then
    expect(fast.buffer.wanted()).toBe(1510);
    expect([fast, unknown, bound].map(({ buffer }) => buffer.budget.mayAskAhead)).toEqual([true, false, false]);
    expect(fast.buffer.budget.fetchSize).toBe(503);
    expect(unknown.buffer.budget.fetchSize).toBe(10);
    expect(bound.buffer.budget.fetchSize).toBe(10);
    expect([batches.wanted(), batches.budget.fetchSize]).toEqual([100, 50]);
  });

  it('leaves out what is taken before it runs', () => {
    // given
    const { buffer, dispatcher, running, end } = consumerOf({ concurrency: 1 });
    buffer.add(origin, messages(0, 4));
    dispatcher.begin();
    // when
    const taken = buffer.takeWaiting(({ id }) => id === '2');
    const cancelled = buffer.cancel('1', new Error('cancelled'));
    end(1);
    // then
    expect(taken.map(({ id }) => id)).toEqual(['2']);
    expect(cancelled?.id).toBe('1');
    expect(running.map(({ id }) => id)).toEqual(['3']);
    expect([buffer.has('3'), buffer.has('2'), buffer.count]).toEqual([true, false, 1]);
  });

  it('runs a message that may crash its consumer alone, gives back those that would wait beside it, and then takes one at a time', () => {
    // given two that ran and waited when two consumers were lost, behind one that runs
    const { buffer, dispatcher, running, end, back } = consumerOf({ concurrency: 3 });
    const twiceLost = 2 * (2 ** 51 + 1);
    buffer.add(origin, messages(0, 1));
    dispatcher.begin();
    // when
    buffer.add(origin, new Fifo(['5', '6', '7'].map((id) => new Taken(id, frame, id === '7' ? 0 : twiceLost))));
    dispatcher.begin();
    // then
    expect([running.map(({ id }) => id), back, buffer.wanted()]).toEqual([['0'], ['6', '7'], 0]);
    end(1);
    expect(running.map(({ id }) => id)).toEqual(['5']);
    expect(buffer.wanted()).toBe(0);
    end(1);
    expect(buffer.wanted()).toBe(1);
    buffer.add(origin, messages(7, 8));
    expect(buffer.wanted()).toBeGreaterThan(1);
  });

  it('forgets messages that run and messages that wait', () => {
    // given
    const { buffer, dispatcher, end } = consumerOf({ concurrency: 1 });
    buffer.add(origin, messages(0, 3));
    dispatcher.begin();
    // when
    const forgotten = buffer.takeAll(({ id }) => ['0', '2', 'another'].includes(id));
    // then what ends later changes nothing
    expect(new Set(forgotten.map(({ id }) => id))).toEqual(new Set(['0', '2']));
    expect(buffer.countFrom(origin)).toBe(1);
    end(1);
    expect(buffer.count).toBe(1);
  });

  it('can be collected when it is done, although its consumer is old and idle', () => {
    // given a thousand consumers that have handled something, and outlived collections
    const consumers = Array.from({ length: 1_000 }, () => consumerOf({ concurrency: 100 }));
    const burst = ({ buffer, dispatcher, end }: ReturnType<typeof consumerOf>): void => {
      buffer.add(origin, messages(0, 100));
      dispatcher.begin();
      end(100);
    };
    for (const consumer of consumers) burst(consumer);
    collectGarbage();
    collectGarbage();
    const before = oldBytes();
    // when each of them has a hundred messages, 12 MB in all
    for (const consumer of consumers) {
      burst(consumer);
      collectGarbage({ type: 'minor' });
    }
    // then next to nothing has grown old: with a Map of them it is 21 MB, with a list of those that wait that is replaced 12
    expect(oldBytes() - before).toBeLessThan(2_000_000);
  });
});
