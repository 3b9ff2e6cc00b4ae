import { describe, expect, it } from '@jest/globals';
import { DamagedStateError } from './errors.js';
import { integer, object, optional, text } from './options.js';
import { readStored, storedInteger } from './stored.js';

const readers = {
  name: text('none'),
  levels: integer(1, { min: 1, max: 10 }),
  keep: optional(object<{ count: number }>({ count: integer(1) })),
};
const place = { object: 'queue "q"', key: 'k', remedy: 'Declare it again.' };
const read = (json: string) => readStored<{ name: string; levels: number }>(readers, json, place);
const problemsOf = (json: string): readonly string[] => {
  try {
    read(json);
    return [];
  } catch (error) {
    if (error instanceof DamagedStateError) return error.problems;
    throw error;
  }
};

describe('a value in Redis', () => {
  it('has its defaults, and what a newer process wrote', () => {
    expect(read('{"name":"q","colour":"red","keep":{"count":2,"newer":1}}')).toEqual({
      name: 'q',
      levels: 1,
      colour: 'red',
      keep: { count: 2 },
    });
  });

  it.each([
    ['{"levels":3000000}', 'levels must be a whole number from 1 to 10, got 3000000'],
    ['{"levels":null}', 'levels must be a whole number from 1 to 10, got null'],
    ['null', 'it must be an object, got null'],
    ['[1]', 'it must be an object, got an array'],
    ['{', 'it must be JSON, got "{"'],
    [`"${'a'.repeat(70_000)}"`, 'it has 70002 characters, where 65536 are the most'],
  ])('is refused in words: %.30s', (json, problem) => {
    expect(problemsOf(json)).toEqual([problem]);
  });

  it('is named in the error, with the key and what to do, and pollutes nothing', () => {
    expect(() => read('7')).toThrow(
      'queue "q": the value in Redis under k cannot be used: it must be an object, got 7. Declare it again.',
    );
    expect(() => read(`{"name":${'['.repeat(9000)}${']'.repeat(9000)}}`)).toThrow(
      'name must be a string that is not empty, got an array',
    );
    read('{"__proto__":{"polluted":1}}');
    expect('polluted' in {}).toBe(false);
    expect(() => read(JSON.stringify('x'.repeat(5000)))).toThrow(/x…\. Declare it again\.$/);
  });

  it.each([
    ['0', 0],
    ['1754000000000', 1754000000000],
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', undefined],
    ['007', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['1e3', undefined],
    ['', undefined],
    ['abc', undefined],
  ])('is a whole number only in digits: %s', (digits, number) => {
    expect(storedInteger(digits)).toBe(number);
  });
});
