import { describe, expect, it } from '@jest/globals';
import { asksForDeadLetters, isSubscription, parseSubscription, subscribeTo, topicsTaken } from './subscription.js';

describe('a subscription', () => {
  it('has one stored form for equal subscriptions', () => {
    expect(subscribeTo(['b', 'a', 'b'])).toEqual({ kind: 'topics', topics: ['a', 'b'] });
    expect(subscribeTo(/^o/giy)).toEqual({ kind: 'pattern', source: '^o', flags: 'i' });
  });

  it('takes the topics it names, or that match', () => {
    const names = ['orders', 'offers', 'users', 'Orders'];
    const none = new Set<string>();
    expect(topicsTaken(subscribeTo(['users', 'orders', 'others']), names, none)).toEqual(['orders', 'users']);
    expect(topicsTaken(subscribeTo(/^o/), names, none)).toEqual(['orders', 'offers']);
    expect(topicsTaken(subscribeTo(/^ORDERS$/i), names, none)).toEqual(['orders', 'Orders']);
  });

  it('by a pattern takes no dead letters, unless it asks for them', () => {
    const names = ['orders', 'orders.dead-letters', 'Lost'];
    const deadLetters = new Set(['orders.dead-letters', 'Lost']);
    const taken = (pattern: RegExp) => topicsTaken(subscribeTo(pattern), names, deadLetters);
    expect(taken(/./)).toEqual(['orders']);
    expect(taken(/dead-letters$/)).toEqual(['orders.dead-letters']);
    expect(taken(/^(orders|lost)$/i)).toEqual(['orders', 'Lost']);
    expect(topicsTaken(subscribeTo(['Lost']), names, deadLetters)).toEqual(['Lost']);
  });

  it.each<[asks: boolean, source: string, topic: string]>([
    [true, 'orders\\.dead-letters', 'orders.dead-letters'],
    [true, 'dead\\-letters', 'x'],
    [true, '^(a\\.lost|b)$', 'a.LOST'],
    [false, '^lost', 'lost-orders'],
    [false, 'letters', 'orders.dead-letters'],
  ])('asks for dead letters by their name: %p, %s for %s', (asks, source, topic) => {
    expect(asksForDeadLetters(source, topic)).toBe(asks);
  });

  it.each<[is: boolean, value: unknown]>([
    [true, { kind: 'topics', topics: [] }],
    [true, { kind: 'topics', topics: ['a'] }],
    [true, { kind: 'pattern', source: '^a', flags: 'i' }],
    [false, { kind: 'topics' }],
    [false, { kind: 'topics', topics: 'a' }],
    [false, { kind: 'topics', topics: ['a', 1] }],
    [false, { kind: 'pattern', source: '(', flags: '' }],
    [false, { kind: 'pattern', source: 'a', flags: 'xx' }],
    [false, { kind: 'pattern', source: 'a' }],
    [false, { kind: 'pattern', flags: '' }],
    [false, { kind: 'pattern', source: 5, flags: '' }],
    [false, { kind: 'pattern', source: 'a', flags: null }],
    [false, { kind: 'other', source: 'a', flags: '' }],
    [false, { topics: ['a'] }],
    [false, null],
    [false, 'topics'],
  ])('out of Redis is one: %p, %p', (is, value) => {
    expect(isSubscription(value)).toBe(is);
    expect(parseSubscription(JSON.stringify(value))).toEqual(is ? value : undefined);
  });

  it('out of Redis may be no JSON', () => {
    expect(parseSubscription('{')).toBeUndefined();
  });
});
