import { describe, expect, it } from '@jest/globals';
import type { Fifo } from '@millrace/core';
import { Taken } from '../store/taken.js';
import { Offers, type OffersParts } from './offers.js';

/** Offers of a consumer that has room for so many messages, and what it did with them. */
function offersFor(room: number) {
  const claimed: string[] = [];
  const taken: string[] = [];
  let begun = 0;
  const turns = { asked: 0, lastAsking: 0, lastEnded: 0 };
  const buffer: OffersParts['buffer'] = {
    wanted: () => room - taken.length,
    take: (messages: Fifo<Taken>) => void taken.push(...messages.take(messages.size).map(({ id }) => id)),
    begin: () => void begun++,
  };
  const outbox: OffersParts['outbox'] = { claim: (id) => void claimed.push(id) };
  const offers = new Offers({ buffer, outbox, requests: turns });
  /** An offer comes while the last turn that was sent, and asked for something, is this one. */
  const add = (number: number, lastAsking = 0, ageMs = 0): boolean => {
    turns.lastAsking = lastAsking;
    return offers.add({ message: new Taken(`m${number}`, Buffer.alloc(0)), number, offeredAt: 1000 - ageMs }, 1000);
  };
  const decide = (lastEnded = 0, mayTake = () => true) => {
    turns.lastEnded = lastEnded;
    return offers.decide(mayTake);
  };
  return { offers, turns, claimed, taken, begun: () => begun, add, decide };
}

describe('what becomes of offers', () => {
  it.each<[what: string, room: number, after: readonly number[], ended: number, taken: number, declined: string[]]>([
    ['there are none', 9, [], 3, 0, []],
    ['all are taken while there is room', 9, [0, 1, 2], 2, 3, []],
    ['none is taken without room', 0, [0, 0], 0, 0, ['m1', 'm2']],
    ['those are declined for which there is no room', 2, [0, 0, 0, 0], 0, 2, ['m3', 'm4']],
    ['those wait that came after a turn that is under way', 9, [1, 2, 2], 1, 1, []],
    ['what waits is not declined yet', 1, [1, 1, 2], 1, 1, ['m2']],
  ])('%s', (_, room, after, ended, taken, declined) => {
    const consumer = offersFor(room);
    for (const [index, lastAsking] of after.entries()) consumer.add(index + 1, lastAsking);
    expect(consumer.decide(ended)).toEqual({ taken, declined });
    const ids = Array.from({ length: taken }, (_one, index) => `m${index + 1}`);
    expect(consumer.claimed).toEqual(ids);
    expect(consumer.taken).toEqual(ids);
    expect(consumer.begun()).toBe(taken);
  });

  it('leaves room for what turns under way may bring', () => {
    const { turns, add, decide } = offersFor(3);
    for (const number of [1, 2]) add(number);
    turns.asked = 2;
    expect(decide()).toEqual({ taken: 1, declined: ['m2'] });
  });

  it('is decided once, as soon as the turns before it have their replies', () => {
    const { add, decide, claimed } = offersFor(9);
    add(1, 1);
    add(2, 3);
    expect([0, 2, 2, 3, 3].map((ended) => decide(ended).taken)).toEqual([0, 1, 0, 1, 0]);
    expect(claimed).toEqual(['m1', 'm2']);
  });

  it('keeps their order: after one that was declined none is taken, even when there is room again', () => {
    const answers = [true, false, true];
    const { add, decide } = offersFor(9);
    for (const number of [1, 2, 3]) add(number);
    expect(decide(0, () => answers.shift() === true)).toEqual({ taken: 1, declined: ['m2', 'm3'] });
  });

  it.each<[what: string, redisNow: number, ageMs: number, isWaiting: boolean]>([
    ['young', 1000, 4999, true],
    ['too late, and perhaps recalled', 1000, 5000, false],
    ['young by the clock of Redis, which is behind ours', 500, 5499, true],
    ['too late by the clock of Redis, which is ahead of ours', 2000, 4000, false],
  ])('waits for a decision or not, when it is %s', (_, redisNow, ageMs, isWaiting) => {
    const { offers, add, decide } = offersFor(9);
    offers.readTime(redisNow, 1000);
    expect(add(1, 0, ageMs)).toBe(isWaiting);
    expect(decide().taken).toBe(isWaiting ? 1 : 0);
  });

  it('ignores those that a turn took over, until their numbers may start again', () => {
    const { offers, add, decide, claimed } = offersFor(9);
    for (const number of [1, 2, 3]) add(number);
    offers.tookOver(2);
    expect(add(2)).toBe(false);
    expect(decide()).toEqual({ taken: 1, declined: [] });
    expect(claimed).toEqual(['m3']);
    offers.restart();
    expect(add(1)).toBe(true);
  });

  it('ignores those that the consumer got another way', () => {
    const { offers, add, decide, claimed } = offersFor(9);
    for (const number of [1, 2]) add(number);
    offers.forget(['m1', 'other']);
    expect(decide().taken).toBe(1);
    expect(claimed).toEqual(['m2']);
  });
});
