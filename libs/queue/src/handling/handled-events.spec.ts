import { describe, expect, it } from '@jest/globals';
import { Events } from '@millrace/delivery';
import { decodeFrame, encodeFrame, noProperties } from '../model/message-frame.js';
import { HandledEvents } from './handled-events.js';
import { MessageContext } from './message-context.js';

const labels = { handler: 'work', source: 'queue:work' };
const source = { queue: 'work', reportProgress: async () => true, holds: () => true };
const completed = { kind: 'completed', result: undefined } as const;

function contextOf(timestamp: number, failures = 0): MessageContext {
  const plain = { priority: 0, codecId: 1, exchange: '', routingKey: 'work', headers: {}, properties: noProperties };
  const message = decodeFrame(encodeFrame({ ...plain, timestamp, body: '1' }, 'work'), 'work');
  return new MessageContext(source, `${timestamp}`, message, { returns: 0, failures, postponements: 0, losses: 0 });
}

/** Events of a consumer, and what a listener and one who takes runs have heard. */
function eventsOf() {
  const events = new Events();
  const heard: unknown[] = [];
  const runs: number[][] = [];
  events.on('handled', (event) => heard.push(event));
  events.onHandled(
    () => runs.push([1]),
    ({ count, durationsMs }) => runs.push([...durationsMs.subarray(0, count)]),
  );
  return { emitted: new HandledEvents(events, labels), heard, runs };
}

describe('what a consumer emits of its handlers', () => {
  it('is one event for those that ended synchronously, with the same fields for each', () => {
    const { emitted, heard, runs } = eventsOf();
    // when
    emitted.emit(labels, completed, contextOf(1000), 2, 50);
    emitted.emit(labels, completed, contextOf(2000), 3, 60);
    expect(heard).toEqual([]);
    emitted.flush();
    // then
    expect(runs).toEqual([[2, 3]]);
    const event = { ...labels, outcome: 'completed', attempt: 1 };
    expect(heard).toEqual([
      { ...event, durationMs: 2, timestamp: 1000, startedAt: 48 },
      { ...event, durationMs: 3, timestamp: 2000, startedAt: 57 },
    ]);
  });

  it('loses none of more than fit', () => {
    const { emitted, runs } = eventsOf();
    for (let n = 0; n < 100; n++) emitted.emit(labels, completed, contextOf(n + 1), n, 500);
    emitted.flush();
    expect(runs.flat()).toEqual(Array.from({ length: 100 }, (_, n) => n));
  });

  it.each([
    ['one that ended later', completed, 0, labels, undefined],
    ['one that failed', { kind: 'failed', error: new Error('no') } as const, 0, labels, 50],
    ['a second attempt', completed, 1, labels, 50],
    ['one of several handlers', completed, 0, { ...labels, handler: 'work:other' }, 50],
  ])('comes immediately for %s', (_, outcome, failures, whose, endedAt) => {
    const { emitted, heard, runs } = eventsOf();
    emitted.emit(whose, outcome, contextOf(1000, failures), 2, endedAt);
    expect(heard).toMatchObject([
      { handler: whose.handler, outcome: outcome.kind, attempt: failures + 1, durationMs: 2 },
    ]);
    expect(runs).toEqual([[1]]);
  });
});
