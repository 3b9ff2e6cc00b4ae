import { describe, expect, it } from '@jest/globals';
import { type ExchangeDeclaration, exchangeTypes, resolveExchange } from './exchange-settings.js';

const resolve = (declaration: unknown) => resolveExchange(declaration as ExchangeDeclaration);

describe('an exchange as it is declared', () => {
  it.each(exchangeTypes)('has a default for all but name and type: %s', (type) => {
    expect(resolve({ name: 'orders', type })).toEqual({ name: 'orders', type, internal: false, autoDelete: false });
  });

  it.each(['routing-key', 'message-id', 'correlation-id', 'header:x'])('may hash on %s', (hashOn) => {
    const given = {
      name: 'h',
      type: 'consistent-hash',
      hashOn,
      alternateExchange: 'rest',
      internal: true,
      autoDelete: true,
    };
    expect(resolve(given)).toEqual(given);
  });

  const hashes = 'hashOn must be routing-key, message-id, correlation-id or header:<name>';
  it.each<[declaration: unknown, ...problems: string[]]>([
    [{ name: '', type: 'direct' }, 'the default exchange "" always exists and cannot be declared'],
    [{ name: 'a\nb', type: 'direct' }, 'exchange name "a\\nb" holds the control character U+000A: leave it out'],
    [{ name: 'a' }, 'type is missing'],
    [
      { name: 'a', type: 'topics' },
      'type must be one of direct, fanout, topic, headers, consistent-hash, got "topics" (did you mean "topic"?)',
    ],
    [{ name: 'a', type: 'topic', alternateExchange: '' }, 'exchange name is empty'],
    [{ name: 'a', type: 'topic', internal: 1 }, 'internal must be true or false, got 1'],
    [{ name: 'a', type: 'topic', autoDelete: 1 }, 'autoDelete must be true or false, got 1'],
    [{ name: 'a', type: 'topic', hashOn: 'message-id' }, 'hashOn is only allowed with type consistent-hash'],
    [{ name: 'a', type: 'topic', hashOn: 'x' }, 'hashOn is only allowed with type consistent-hash', hashes],
    [{ name: 'a', type: 'consistent-hash', hashOn: 'x-routing-key' }, hashes],
    [{ name: 'a', type: 'consistent-hash', hashOn: 'message-ids' }, hashes],
    [{ name: 'a', type: 'consistent-hash', hashOn: 'header:' }, hashes],
  ])('is refused, with every problem: %p', (declaration, ...problems) => {
    const { name } = declaration as { name: string };
    expect(() => resolve(declaration)).toThrow(
      expect.objectContaining({ problems, message: expect.stringContaining(`exchange ${JSON.stringify(name)}: `) }),
    );
  });

  it('is an object', () => {
    expect(() => resolve(undefined)).toThrow('exchange undefined: 2 problems');
  });
});
