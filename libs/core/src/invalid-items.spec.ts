import { describe, expect, it } from '@jest/globals';
import { InvalidMessageError } from './errors.js';
import { InvalidItems, quotedName } from './invalid-items.js';

describe('InvalidItems', () => {
  it('names each item by its place, and counts those that are too many to be named', () => {
    const items = new InvalidItems();
    for (let index = 0; index < 12; index++) items.add(`records[${index}]`, new InvalidMessageError('too large.'));
    const error = items.error();
    expect(error).toBeInstanceOf(InvalidMessageError);
    expect(error.message.split('\n')).toHaveLength(11);
    expect(error.message).toMatch(
      /^records\[0\]: too large\.\n.*\nrecords\[9\]: too large\.\n… and 2 more of the batch$/s,
    );
    expect(error.cause).toMatchObject({ message: 'too large.' });
  });

  it('throws what is not about the item as it is', () => {
    const away = new Error('Redis is away');
    expect(() => new InvalidItems().add('records[0]', away)).toThrow(away);
  });

  it('shortens long names', () => {
    expect(quotedName('short')).toBe('"short"');
    expect(quotedName('k'.repeat(100))).toBe(`"${'k'.repeat(60)}…"`);
  });
});
