import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { OptionsError } from './errors.js';
import {
  assertName,
  characterProblem,
  deadLettersOf,
  escapeName,
  keepsDeadLetters,
  nameProblem,
  sourceOfDeadLetters,
  topicNameProblem,
  unescapeName,
} from './names.js';

/** Strings of all of Unicode, half of them of what has a meaning in keys. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('a', 'A', '3', '%', ':', '{', '}', ' ', '*', 'ü', '𝄞') }),
);

function isControl(character: string): boolean {
  return character < ' ' || (character >= '\u007f' && character <= '\u009f');
}

describe('a name', () => {
  it.each([
    'orders',
    'queued weather',
    'A:B',
    'resource.*.updated',
    '#',
    'amq.gen-JzTY20BRgKO-HjmUJj0wLg',
    '{orders}:%3A',
    '\\"\'`$[]?^',
    ' ',
    '.',
    'Bestellungen für Öl',
    '注文',
    '🧾',
    '\u00a0\u2028\ufeff\uffff',
    'ä'.repeat(127),
  ])('may be %j', (name) => {
    expect(nameProblem('queue', name)).toBeUndefined();
    expect(() => assertName('queue', name)).not.toThrow();
  });

  it.each([
    ['', 'queue name is empty'],
    [7, 'queue name must be a string, got number'],
    [undefined, 'queue name must be a string, got undefined'],
    [null, 'queue name must be a string, got null'],
    [['a'], 'queue name must be a string, got an array'],
    [{}, 'queue name must be a string, got object'],
    ['a\nb', 'queue name "a\\nb" holds the control character U+000A: leave it out'],
    ['a\u0000', 'queue name "a\\u0000" holds the control character U+0000: leave it out'],
    ['\u007f', 'queue name "\u007f" holds the control character U+007F: leave it out'],
    ['\u0085', 'queue name "\u0085" holds the control character U+0085: leave it out'],
    ['a\ud83e', 'queue name "a\\ud83e" holds half a surrogate pair, which UTF-8 cannot encode'],
    ['\uddfe\ud83e', 'queue name "\\uddfe\\ud83e" holds half a surrogate pair, which UTF-8 cannot encode'],
    ['ä'.repeat(128), `queue name "${'ä'.repeat(40)}…" is longer than 255 bytes: it has 256`],
    [' '.repeat(256), `queue name "${' '.repeat(40)}…" is longer than 255 bytes: it has 256`],
  ])('may not be %j', (name, problem) => {
    expect(nameProblem('queue', name)).toBe(problem);
    expect(() => assertName('queue', name)).toThrow(new OptionsError('queue', [problem]));
  });

  it.each(['.', '..'])('of a topic is not %j, as in Kafka', (name) => {
    expect(topicNameProblem(name)).toBe(`topic name "${name}" is reserved for folders, as in Kafka`);
    expect(topicNameProblem(`${name}.`)).toBe(name === '.' ? topicNameProblem('..') : undefined);
    expect(topicNameProblem('a:b')).toBeUndefined();
  });

  it('is refused if and only if it is empty, too long, or not whole characters without Cc', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 120 }), (name) => {
        const isWhole = Buffer.from(name).toString() === name && ![...name].some(isControl);
        const isFit = name !== '' && isWhole && Buffer.byteLength(name) <= 255;
        expect(nameProblem('queue', name) === undefined).toBe(isFit);
        expect(characterProblem(name) === undefined).toBe(isWhole);
      }),
    );
  });
});

it('says where dead letters are, and of what', () => {
  expect(deadLettersOf('orders')).toBe('orders.dead-letters');
  expect(['orders.dead-letters', 'orders', '.dead-letters.x'].map(keepsDeadLetters)).toEqual([true, false, false]);
  expect(sourceOfDeadLetters('orders.dead-letters')).toBe('orders');
});

describe('an escaped name', () => {
  it.each([
    ['queued weather', 'queued%20weather'],
    ['A:B', 'A%3AB'],
    ['A%3AB', 'A%253AB'],
    ['resource.*.updated', 'resource.%2A.updated'],
    ['{a}', '%7Ba%7D'],
    ['[a-z]?\\', '%5Ba-z%5D%3F%5C'],
    ['"\'`$&|;<>(),=#!^', '%22%27%60%24%26%7C%3B%3C%3E%28%29%2C%3D%23%21%5E'],
    ['für 🧾\ufeff', 'für%20🧾\ufeff'],
  ])('of %j is %j', (name, escaped) => {
    expect(escapeName(name)).toBe(escaped);
    expect(unescapeName(escaped)).toBe(name);
  });

  it('is the name itself where names were allowed before: existing keys stay', () => {
    const before = fc.stringMatching(/^[A-Za-z0-9._\-/@~+]+$/);
    fc.assert(
      fc.property(before, (name) => {
        expect(escapeName(name)).toBe(name);
      }),
    );
  });

  it('leads back to its name, so that no two names share one', () => {
    fc.assert(
      fc.property(text, (name) => {
        expect(unescapeName(escapeName(name))).toBe(name);
      }),
    );
  });

  it('holds no character of ASCII that means something in a key, a pattern, an ACL file or a shell', () => {
    fc.assert(
      fc.property(text, (name) => {
        expect(escapeName(name)).toMatch(/^([A-Za-z0-9._\-/@~+\u0080-\uffff]|%[0-7][0-9A-F])*$/);
      }),
    );
  });

  it.each(['a:b', 'a b', '%', '%4', '%3a', '%41', '%C3%BC', '%2'])('is not %j', (escaped) => {
    expect(unescapeName(escaped)).toBeUndefined();
  });

  it('is all that is unescaped', () => {
    fc.assert(
      fc.property(text, (escaped) => {
        const name = unescapeName(escaped);
        expect(name === undefined || escapeName(name) === escaped).toBe(true);
      }),
    );
  });
});
