import { describe, expect, it } from '@jest/globals';
import { type Headers, TopologyNotFoundError } from '@millrace/core';
import fc from 'fast-check';
import { type BindingDeclaration, bindingId, resolveBinding } from './binding.js';
import { type ExchangeDeclaration, resolveExchange } from './exchange-settings.js';
import { resolveQueue } from './queue-settings.js';
import { nowhere, Router } from './routing.js';
import { topicMatches } from './topic-pattern.js';
import { TopicTrie } from './topic-trie.js';
import type { Topology } from './topology.js';

/** RabbitMQ's rules, word by word: slow and plain. */
function referenceMatches(pattern: readonly string[], words: readonly string[]): boolean {
  const [part, ...parts] = pattern;
  if (part === undefined) return words.length === 0;
  if (part === '#')
    return words.length > 0
      ? referenceMatches(parts, words) || referenceMatches(pattern, words.slice(1))
      : referenceMatches(parts, words);
  if (words.length === 0) return false;
  return (part === '*' || part === words[0]) && referenceMatches(parts, words.slice(1));
}
const words = (key: string): string[] => (key === '' ? [] : key.split('.'));
const key = fc.array(fc.constantFrom('a', 'b', '', '*', '#', 'ab'), { maxLength: 6 }).map((parts) => parts.join('.'));

function topology(exchanges: ExchangeDeclaration[], queues: string[], bindings: BindingDeclaration[]): Topology {
  const resolved = bindings.map(resolveBinding);
  return {
    version: 1,
    exchanges: new Map(exchanges.map((exchange) => [exchange.name, resolveExchange(exchange)])),
    queues: new Map(queues.map((name) => [name, resolveQueue({ name })])),
    bindings: new Map(resolved.map((binding) => [bindingId(binding), binding])),
  };
}
const route = (router: Router, exchange: string, routingKey: string, headers: Headers = {}): readonly string[] =>
  [...router.route(exchange, { routingKey, headers }).queues].sort();

describe('topic patterns', () => {
  it('match as the reference does, one by one and in a trie of many', () => {
    fc.assert(
      fc.property(fc.array(key, { maxLength: 12 }), key, (patterns, routingKey) => {
        const trie = new TopicTrie<number>();
        for (const [index, pattern] of patterns.entries()) trie.add(pattern, index);
        const found = new Set<number>();
        trie.match(routingKey, (index) => found.add(index));
        const wrong = patterns.filter((pattern, index) => {
          const expected = referenceMatches(words(pattern), words(routingKey));
          return topicMatches(pattern, routingKey) !== expected || found.has(index) !== expected;
        });
        expect({ routingKey, wrong }).toEqual({ routingKey, wrong: [] });
      }),
      { numRuns: 2000 },
    );
  });
});

describe('headers exchange', () => {
  it.each([
    ['all of nothing is everything', {}, {}, true],
    ['any of nothing is nothing', { 'x-match': 'any' }, { a: 1 }, false],
    ['all', { a: 1, b: 'x' }, { a: 1, b: 'x', c: true }, true],
    ['all, one missing', { a: 1, b: 'x' }, { a: 1 }, false],
    ['any', { 'x-match': 'any', a: 1, b: 'x' }, { b: 'x' }, true],
    ['compares types', { a: 1 }, { a: '1' }, false],
    ['void asks for presence', { a: null }, { a: false }, true],
    ['void, absent', { a: null }, {}, false],
    ['x- arguments are ignored by all', { 'x-a': 1, b: 2 }, { b: 2 }, true],
    ['x- arguments alone are nothing to any', { 'x-match': 'any', 'x-a': 1 }, { 'x-a': 1 }, false],
    ['x- arguments count for all-with-x', { 'x-match': 'all-with-x', 'x-a': 1 }, {}, false],
    ['x- arguments count for any-with-x', { 'x-match': 'any-with-x', 'x-a': 1 }, { 'x-a': 1 }, true],
    ['a name of Object is no header', { constructor: null }, {}, false],
  ])('%s', (_, bindingArguments: Headers, headers: Headers, matches) => {
    const router = new Router(
      topology([{ name: 'h', type: 'headers' }], ['q'], [{ exchange: 'h', queue: 'q', arguments: bindingArguments }]),
    );
    expect(route(router, 'h', 'k', headers)).toEqual(matches ? ['q'] : []);
  });
});

describe('exchanges behind exchanges', () => {
  it('are followed, and a cycle ends', () => {
    const exchanges: ExchangeDeclaration[] = [
      { name: 'a', type: 'topic' },
      { name: 'b', type: 'fanout' },
      { name: 'c', type: 'direct' },
    ];
    const router = new Router(
      topology(
        exchanges,
        ['q1', 'q2'],
        [
          { exchange: 'a', toExchange: 'b', routingKey: 'x.#' },
          { exchange: 'b', toExchange: 'c' },
          { exchange: 'c', toExchange: 'a', routingKey: 'x.y' },
          { exchange: 'b', queue: 'q1' },
          { exchange: 'c', queue: 'q2', routingKey: 'x.y' },
          { exchange: 'c', queue: 'q1', routingKey: 'x.y' },
        ],
      ),
    );
    expect(route(router, 'a', 'x.y')).toEqual(['q1', 'q2']);
    expect(route(router, 'a', 'x.z')).toEqual(['q1']);
    expect(route(router, 'a', 'y')).toEqual([]);
  });

  it('an alternate exchange takes what no binding matches, through a chain and a cycle of them', () => {
    const exchanges: ExchangeDeclaration[] = [
      { name: 'a', type: 'direct', alternateExchange: 'b' },
      { name: 'b', type: 'direct', alternateExchange: 'c' },
      { name: 'c', type: 'fanout', alternateExchange: 'a' },
      { name: 'lost', type: 'direct', alternateExchange: 'nowhere' },
    ];
    const router = new Router(
      topology(
        exchanges,
        ['q', 'rest'],
        [
          { exchange: 'a', queue: 'q', routingKey: 'k' },
          { exchange: 'c', queue: 'rest' },
        ],
      ),
    );
    expect(route(router, 'a', 'k')).toEqual(['q']);
    expect(route(router, 'a', 'other')).toEqual(['rest']);
    expect(route(router, 'lost', 'k')).toEqual([]);
  });

  it('routes by headers behind an exchange that routes by key', () => {
    const exchanges: ExchangeDeclaration[] = [
      { name: 'a', type: 'fanout' },
      { name: 'h', type: 'headers' },
    ];
    const router = new Router(
      topology(
        exchanges,
        ['q'],
        [
          { exchange: 'a', toExchange: 'h' },
          { exchange: 'h', queue: 'q', arguments: { go: true } },
        ],
      ),
    );
    expect(route(router, 'a', 'k', { go: true })).toEqual(['q']);
    expect(route(router, 'a', 'k', { go: false })).toEqual([]);
  });
});

describe('consistent hash', () => {
  const queues = ['q1', 'q2', 'q3', 'q4'];
  const routerOf = (names: readonly string[], hashOn?: string) =>
    new Router(
      topology(
        [{ name: 'h', type: 'consistent-hash', hashOn }],
        queues,
        names.map((queue) => ({ exchange: 'h', queue, routingKey: queue === 'q4' ? '3' : '1' })),
      ),
    );
  const keys = Array.from({ length: 6000 }, (_, index) => `order-${index}`);

  it('gives every queue its share by weight', () => {
    const router = routerOf(queues);
    const counts = queues.map(
      (queue) => keys.filter((routingKey) => route(router, 'h', routingKey)[0] === queue).length,
    );
    for (const [index, weight] of [1, 1, 1, 3].entries()) {
      expect(Math.abs((counts[index] ?? 0) - weight * 1000)).toBeLessThan(150);
    }
  });

  it('moves only the keys of a queue that is removed', () => {
    const before = routerOf(queues);
    const after = routerOf(queues.slice(1));
    for (const routingKey of keys) {
      const [old] = route(before, 'h', routingKey);
      if (old !== 'q1') expect(route(after, 'h', routingKey)).toEqual([old]);
    }
  });

  it('hashes a header when it should', () => {
    const router = routerOf(queues, 'header:customer');
    const reached = new Set(keys.map((routingKey) => route(router, 'h', routingKey, { customer: 'x' })[0]));
    expect(reached.size).toBe(1);
  });
});

describe('a router', () => {
  it('knows what can be reached, whatever a message is: over exchanges, alternates and rings of them', () => {
    const router = new Router(
      topology(
        [
          { name: 'first', type: 'headers', alternateExchange: 'rest' },
          { name: 'second', type: 'topic' },
          { name: 'rest', type: 'fanout' },
        ],
        ['a', 'b', 'c', 'far'],
        [
          { exchange: 'first', queue: 'a', arguments: { kind: 'mail' } },
          { exchange: 'first', toExchange: 'second' },
          { exchange: 'second', queue: 'b', routingKey: 'x.#' },
          { exchange: 'second', toExchange: 'first', routingKey: '#' },
          { exchange: 'rest', queue: 'c' },
        ],
      ),
    );
    expect(router.reachable({ exchange: 'first' }).sort()).toEqual(['a', 'b', 'c']);
    expect(router.reachable({ exchange: 'rest', routingKey: 'far' })).toEqual(['c']);
    expect(router.reachable({ exchange: '', routingKey: 'far' })).toEqual(['far']);
    expect(router.reachable({ exchange: '', routingKey: 'none' })).toEqual([]);
    expect(router.reachable({ exchange: '' })).toEqual([]);
    expect(router.reachable({ exchange: 'none' })).toEqual([]);
  });

  const exchanges: ExchangeDeclaration[] = [
    { name: 'd', type: 'direct' },
    { name: 'h', type: 'headers', alternateExchange: 'rest' },
    { name: 'rest', type: 'fanout' },
    { name: 'to-h', type: 'fanout' },
    { name: 'else-h', type: 'direct', alternateExchange: 'h' },
    { name: 'to-log', type: 'fanout' },
  ];
  const declared = topology(
    exchanges,
    ['q', 'rest-q'],
    [
      { exchange: 'd', queue: 'q', routingKey: 'k' },
      { exchange: 'h', queue: 'q', arguments: { go: true } },
      { exchange: 'rest', queue: 'rest-q' },
      { exchange: 'to-h', toExchange: 'h' },
      { exchange: 'to-log', topic: 'log' },
      { exchange: 'to-log', topic: 'log', routingKey: 'again' },
      { exchange: 'to-log', queue: 'q' },
    ],
  );
  const whole = (router: Router, exchange: string, routingKey: string, headers: Headers = {}) =>
    router.route(exchange, { routingKey, headers });

  it('has the topology that it routes by, and knows whether a queue is sharded', () => {
    expect(new Router(declared).topology).toBe(declared);
    expect(new Router(declared).hasShards).toBe(false);
    const sharded = resolveQueue({ name: 's', shards: 2 });
    for (const order of [
      ['q', 's'],
      ['s', 'q'],
    ] as const) {
      const queues = new Map(order.map((name) => [name, name === 's' ? sharded : resolveQueue({ name })]));
      expect(new Router({ ...declared, queues }).hasShards).toBe(true);
    }
  });

  it('leads through the default exchange to the queue of that name', () => {
    expect(whole(new Router(declared), '', 'q')).toEqual({ queues: ['q'], topics: [] });
    expect(whole(new Router(declared), '', 'd')).toBe(nowhere);
  });

  it('leads to each topic and queue once', () => {
    expect(whole(new Router(declared), 'to-log', '')).toEqual({ queues: ['q'], topics: ['log'] });
    expect(whole(new Router(declared), 'd', 'other')).toBe(nowhere);
  });

  it('refuses an exchange that is not there, each time', () => {
    const router = new Router(declared);
    for (let n = 0; n < 2; n++) {
      expect(() => whole(router, 'none', 'k')).toThrow(new TopologyNotFoundError('exchange', 'none'));
    }
  });

  it('keeps a route that the key alone decides, and no other', () => {
    const router = new Router(declared);
    expect(whole(router, 'd', 'k')).toBe(whole(router, 'd', 'k'));
    expect(whole(router, '', 'q')).toBe(whole(router, '', 'q'));
    for (const exchange of ['h', 'to-h', 'else-h']) {
      for (const [go, queue] of [
        [true, 'q'],
        [false, 'rest-q'],
        [true, 'q'],
      ] as const)
        expect(whole(router, exchange, 'k', { go }).queues).toEqual([queue]);
    }
  });

  it('routes as before when it has kept so many that it forgets them', () => {
    const router = new Router(declared);
    const first = whole(router, 'd', 'k');
    for (let n = 0; n < 9_999; n++) whole(router, 'd', `key-${n}`);
    expect(whole(router, 'd', 'k')).toBe(first);
    whole(router, 'd', 'one more');
    const again = whole(router, 'd', 'k');
    expect(again).not.toBe(first);
    expect(again).toEqual(first);
  });
});
