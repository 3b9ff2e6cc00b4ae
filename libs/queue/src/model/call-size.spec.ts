import { describe, expect, it } from '@jest/globals';
import { CallSize } from './call-size.js';
import { type QueueDeclaration, resolveQueue } from './queue-settings.js';
import { Router } from './routing.js';
import { emptyTopology } from './topology.js';

const queues: QueueDeclaration[] = [
  { name: 'plain' },
  { name: 'other' },
  { name: 'limited', maxLength: 10 },
  { name: 'ranked', priorities: 2 },
];
const router = new Router({ ...emptyTopology, queues: new Map(queues.map((each) => [each.name, resolveQueue(each)])) });

/** How many messages one call takes when each goes to the slots that `slotsOf` returns. */
function messagesPerCall(message: { bytes: number; terms: string }, slotsOf: (index: number) => readonly string[]) {
  const size = new CallSize();
  let count = 0;
  while (size.add(message, slotsOf(count), router)) count++;
  return count;
}

const plain = { bytes: 100, terms: '' };
const always =
  (...slots: readonly string[]) =>
  () => [...slots];

describe('a call takes', () => {
  it.each<[messages: string, message: typeof plain, slotsOf: (index: number) => readonly string[], count: number]>([
    ['500 plain messages for one queue', plain, always('plain'), 500],
    ['as many as have 1 MiB', { bytes: 65_536, terms: '' }, always('plain'), 16],
    ['half as many for two queues', plain, always('plain', 'other'), 495],
    ['a fourth with terms of their own', { bytes: 100, terms: '1;;;' }, always('plain'), 248],
    ['a fourth into a queue with a limit', plain, always('limited'), 248],
    ['a fourth into a queue with priorities', plain, always('ranked'), 248],
    ['fewer when each goes to another queue', plain, (index) => [`q${index}`], 111],
  ])('%s', (_messages, message, slotsOf, count) => {
    expect(messagesPerCall(message, slotsOf)).toBe(count);
  });
});
