import { describe, expect, it } from '@jest/globals';
import { Entries, entryAfter, entryInLife } from './entry.js';

describe('an entry', () => {
  it('is unique, is short, and shows whether its message has an id', () => {
    const entries = new Entries(Buffer.from('random'));
    const made = Array.from({ length: 100 }, (_, n) => (n % 2 === 0 ? entries.next() : entries.nextWithId()));
    expect(new Set(made).size).toBe(100);
    expect(made.filter((entry) => entry.startsWith('.'))).toHaveLength(50);
    expect(Math.max(...made.map((entry) => entry.length))).toBeLessThan(14);
    expect(made.some((entry) => entry.startsWith('~'))).toBe(false);
  });

  it('under which a message goes on is the same each time, and another from each queue', () => {
    const entry = entryAfter('orders', 'a1');
    expect(entry).toMatch(/^~[\w-]{20}$/);
    expect(entryAfter('orders', 'a1')).toBe(entry);
    const others = [entryAfter('orders', 'a2'), entryAfter('invoices', 'a1'), entryAfter('orders', entry)];
    expect(new Set([entry, ...others]).size).toBe(4);
  });

  it('of a message that expired in the middle of a list was another one before', () => {
    expect(['a1!', 'a1', '.a1!'].map(entryInLife)).toEqual(['a1', 'a1', '.a1']);
  });
});
