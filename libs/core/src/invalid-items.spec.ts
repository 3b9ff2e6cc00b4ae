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

  it('has the first problem as its cause, and counts no others where all are named', () => {
    const items = new InvalidItems();
    const [first, second] = [new InvalidMessageError('a.'), new InvalidMessageError('b.')];
    items.add('records[0]', first);
    items.add('records[4]', second);
    expect(items.error().message).toBe('records[0]: a.\nrecords[4]: b.');
    expect(items.error().cause).toBe(first);
  });

  it('leaves a name of sixty characters whole', () => {
    expect(quotedName('k'.repeat(60))).toBe(`"${'k'.repeat(60)}"`);
    expect(quotedName(undefined)).toBe('"undefined"');
  });
});
