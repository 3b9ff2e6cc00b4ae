import { describe, expect, it } from '@jest/globals';
import {
  type BatchEvent,
  type BatchState,
  batchStateAfter,
  isSent,
  isSettled,
  type Transmission,
  transmissionOf,
} from './batch-state.js';

const events: readonly BatchEvent[] = ['framed', 'sent', 'replied', 'settled'];
/** Per state: the states after each of the events, in their order; and what its appender does with and without a connection. */
const table: readonly [BatchState, readonly BatchState[], Transmission, Transmission][] = [
  ['open', ['ready', 'open', 'open', 'settled'], 'wait', 'wait'],
  ['ready', ['ready', 'in-flight', 'ready', 'settled'], 'send', 'return'],
  ['in-flight', ['in-flight', 'in-flight', 'ready', 'unanswered'], 'skip', 'skip'],
  ['unanswered', ['unanswered', 'unanswered', 'settled', 'unanswered'], 'skip', 'skip'],
  ['settled', ['settled', 'settled', 'settled', 'settled'], 'leave', 'leave'],
];

describe('the state of a batch', () => {
  it.each(table)('%s changes with events', (state, after) => {
    expect(events.map((event) => batchStateAfter(state, event))).toEqual(after);
  });

  it.each(table)('%s decides whether it is sent', (state, _after, up, down) => {
    expect([transmissionOf(state, true), transmissionOf(state, false)]).toEqual([up, down]);
  });

  it('has results for its callers before the reply, when it was given up', () => {
    expect(table.map(([state]) => state).filter(isSettled)).toEqual(['unanswered', 'settled']);
    expect(table.map(([state]) => state).filter(isSent)).toEqual(['in-flight', 'unanswered']);
  });
});
