import { describe, expect, it } from '@jest/globals';
import { type BindingDeclaration, bindingId, bindingProblem, describeBinding, resolveBinding } from './binding.js';

const resolve = (declaration: object) => resolveBinding(declaration as BindingDeclaration);
const toMail = (routingKey: string, args = {}) =>
  resolve({ exchange: 'orders', queue: 'mail', routingKey, arguments: args });

describe('a binding', () => {
  it.each([
    [{ queue: 'mail' }, 'queue', 'mail'],
    [{ toExchange: 'audit' }, 'exchange', 'audit'],
    [{ topic: 'log' }, 'topic', 'log'],
  ])('leads to a queue, another exchange or a topic: %p', (to, kind, destination) => {
    expect(resolve({ exchange: 'orders', ...to })).toEqual({
      source: 'orders',
      kind,
      destination,
      routingKey: '',
      arguments: {},
    });
  });

  it('is one with another whose arguments are written in another order', () => {
    const one = toMail('k', { b: 1, a: 2, c: undefined });
    expect(Object.keys(one.arguments)).toEqual(['a', 'b']);
    expect(bindingId(one)).toBe(bindingId(toMail('k', { a: 2, b: 1 })));
    expect(bindingId(one)).toBe('["orders","queue","mail","k",{"a":2,"b":1}]');
    expect(bindingId(one)).not.toBe(bindingId(toMail('k', { a: 2, b: '1' })));
    expect(describeBinding(one)).toBe('orders → queue mail ("k")');
  });

  const oneDestination = 'name one destination: queue, toExchange or topic';
  it.each<[declaration: object, ...problems: string[]]>([
    [{ exchange: 'a' }, oneDestination],
    [{ exchange: 'a', queue: 'b', topic: 'c' }, oneDestination],
    [
      { exchange: '', queue: 'b' },
      'the default exchange "" cannot be bound to: every queue is bound to it by its name',
    ],
    [{ queue: 'b' }, 'exchange name must be a string, got undefined'],
    [{ exchange: 'a', queue: '' }, 'queue name is empty'],
    [{ exchange: 'a', toExchange: '' }, 'exchange name is empty'],
    [{ exchange: 'a', queue: 'b', routingKey: 5 }, 'routing key must be a string, got number'],
    [
      { exchange: 'a', queue: 'b', arguments: { x: {} } },
      'binding arguments: header "x" must be a string, a number, true, false or null.',
    ],
    [
      { exchange: 'a\nb', queue: 'c\nd', key: 'x' },
      'unknown option key',
      'exchange name "a\\nb" holds the control character U+000A: leave it out',
      'queue name "c\\nd" holds the control character U+000A: leave it out',
    ],
  ])('is refused, with every problem: %p', (declaration, ...problems) => {
    const { exchange } = declaration as { exchange?: string };
    expect(() => resolve(declaration)).toThrow(
      expect.objectContaining({
        problems,
        message: expect.stringContaining(`binding of exchange ${JSON.stringify(exchange)}: `),
      }),
    );
  });

  it('of a topic exchange has at most two "#"', () => {
    expect(bindingProblem(toMail('#.a.#'), 'topic')).toBeUndefined();
    expect(bindingProblem(toMail('#.a.#.#'), 'topic')).toBe('pattern "#.a.#.#" has more than 2 "#" words');
    expect(bindingProblem(toMail('#.a.#.#'), 'direct')).toBeUndefined();
  });

  it('of a headers exchange says how it compares', () => {
    for (const kind of ['all', 'any', 'all-with-x', 'any-with-x'])
      expect(bindingProblem(toMail('', { 'x-match': kind }), 'headers')).toBeUndefined();
    expect(bindingProblem(toMail(''), 'headers')).toBeUndefined();
    expect(bindingProblem(toMail('', { 'x-match': 'none' }), 'headers')).toBe(
      'argument x-match must be one of all, any, all-with-x, any-with-x, got "none"',
    );
    expect(bindingProblem(toMail('', { 'x-match': 'none' }), 'direct')).toBeUndefined();
  });

  it('of a consistent-hash exchange has its weight for a key', () => {
    for (const weight of ['1', '10', '999999999'])
      expect(bindingProblem(toMail(weight), 'consistent-hash')).toBeUndefined();
    for (const weight of ['', '0', '01', '-1', '1.5', 'x1', '1x', '1000000000']) {
      expect(bindingProblem(toMail(weight), 'consistent-hash')).toBe(
        `the routing key of a binding of a consistent-hash exchange is its weight, a whole number from 1, got "${weight}"`,
      );
      expect(bindingProblem(toMail(weight), 'fanout')).toBeUndefined();
    }
  });
});
