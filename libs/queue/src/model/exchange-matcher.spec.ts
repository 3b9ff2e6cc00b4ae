import { describe, expect, it } from '@jest/globals';
import { resolveBinding } from './binding.js';
import { exchangeMatcher, isDecidedByKey, type Routable } from './exchange-matcher.js';
import { type ExchangeType, exchangeTypes, resolveExchange } from './exchange-settings.js';

const exchange = (type: ExchangeType, hashOn?: string) => resolveExchange({ name: 'e', type, hashOn });
const bindings = (...keys: string[]) =>
  keys.map((routingKey, at) => resolveBinding({ exchange: 'e', queue: `q${at}`, routingKey }));
const found = (type: ExchangeType, keys: string[], message: Partial<Routable>, hashOn?: string): string[] => {
  const names: string[] = [];
  const match = exchangeMatcher(exchange(type, hashOn), bindings(...keys));
  match({ routingKey: '', headers: {}, ...message }, ({ destination }) => names.push(destination));
  return names;
};

describe('an exchange', () => {
  it('finds every binding that matches, one of a destination for each', () => {
    expect(found('direct', ['a', 'b', 'a', ''], { routingKey: 'a' })).toEqual(['q0', 'q2']);
    expect(found('direct', ['a'], { routingKey: 'c' })).toEqual([]);
    expect(found('fanout', ['a', 'b'], { routingKey: 'c' })).toEqual(['q0', 'q1']);
    expect(found('topic', ['a.*', 'a.b', '#', 'b'], { routingKey: 'a.b' }).sort()).toEqual(['q0', 'q1', 'q2']);
    expect(found('headers', ['a'], {})).toEqual(['q0']);
    expect(found('consistent-hash', [], {})).toEqual([]);
  });

  const spread = Array.from({ length: 20 }, () => '1');
  const reached = (hashOn: string | undefined, messages: readonly Partial<Routable>[]) =>
    new Set(messages.flatMap((message) => found('consistent-hash', spread, message, hashOn))).size;
  const twenty = Array.from({ length: 20 }, (_, n) => n);

  it.each<[hashOn: string | undefined, differ: (n: number) => Partial<Routable>]>([
    [undefined, (n) => ({ routingKey: `k${n}` })],
    ['routing-key', (n) => ({ routingKey: `k${n}` })],
    ['message-id', (n) => ({ messageId: `k${n}` })],
    ['correlation-id', (n) => ({ correlationId: `k${n}` })],
    ['header:n', (n) => ({ headers: { n } })],
  ])('hashes on %p, and on nothing else', (hashOn, differ) => {
    const others = twenty.map((n) => ({
      routingKey: `${n}`,
      messageId: `${n}`,
      correlationId: `${n}`,
      headers: { n: n, m: n },
      ...Object.fromEntries(Object.keys(differ(0)).map((name) => [name, undefined])),
    }));
    expect(reached(hashOn, twenty.map(differ))).toBeGreaterThan(5);
    const same = others.map((message) => ({ ...message, ...differ(0) }));
    expect(reached(hashOn, same)).toBe(1);
  });

  it('counts what is missing as empty', () => {
    const key = (hashOn: string, message: Partial<Routable>) => found('consistent-hash', spread, message, hashOn);
    expect(key('header:n', {})).toEqual(key('header:n', { headers: { n: '' } }));
    expect(key('message-id', {})).toEqual(key('message-id', { messageId: '' }));
    expect(key('correlation-id', {})).toEqual(key('correlation-id', { correlationId: '' }));
  });

  it('is decided by the routing key, or is not', () => {
    expect(exchangeTypes.filter((type) => isDecidedByKey(exchange(type)))).toEqual([
      'direct',
      'fanout',
      'topic',
      'consistent-hash',
    ]);
    const hashed = (hashOn: string) => isDecidedByKey(exchange('consistent-hash', hashOn));
    expect(['routing-key', 'message-id', 'header:n'].map(hashed)).toEqual([true, false, false]);
  });
});
