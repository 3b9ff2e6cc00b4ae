import { describe, expect, it } from '@jest/globals';
import { OptionsError } from './errors.js';
import {
  boolean,
  custom,
  didYouMean,
  duration,
  integer,
  type OptionReader,
  object,
  oneOf,
  optional,
  required,
  resolveOptions,
  text,
} from './options.js';

interface Example {
  lingerMs: number;
  acks: 'none' | 'leader' | 'all';
  retry: { maxRetries: number };
  isPaused: boolean;
  name?: string | undefined;
}
const readers = {
  lingerMs: integer(0, { max: 1000 }),
  acks: oneOf(['none', 'leader', 'all'], 'leader'),
  retry: object({ maxRetries: integer(3) }),
  isPaused: boolean(false),
  name: optional(text('')),
};

describe('resolveOptions', () => {
  it('fills in defaults, freezes the result and leaves the input alone', () => {
    const input = { lingerMs: 5 };
    const resolved = resolveOptions<Example>('producer', readers, input);
    expect(resolved).toEqual({ lingerMs: 5, acks: 'leader', retry: { maxRetries: 3 }, isPaused: false });
    expect(Object.isFrozen(resolved)).toBe(true);
    expect(input).toEqual({ lingerMs: 5 });
  });

  it('names every problem in one error, with a suggestion', () => {
    const input = { lingerMS: 5, acks: 'al', retry: { maxRetries: -1 }, isPaused: 'yes' };
    expect(() => resolveOptions<Example>('producer', readers, input)).toThrow(
      new OptionsError('producer', [
        'unknown option lingerMS (did you mean "lingerMs"?)',
        'acks must be one of none, leader, all, got "al" (did you mean "all"?)',
        'retry.maxRetries must be a whole number of at least 0, got -1',
        'isPaused must be true or false, got "yes"',
      ]),
    );
  });

  it('says which option is missing', () => {
    expect(() => resolveOptions('group', { topic: required(text('')) }, {})).toThrow('topic is missing');
  });

  it.each<[input: unknown, problem: string]>([
    [5, 'options must be an object, got 5'],
    ['x', 'options must be an object, got "x"'],
    [[], 'options must be an object, got an array'],
    [() => 1, 'options must be an object, got a function'],
    [{ retry: 5 }, 'retry must be an object, got 5'],
    [{ retry: [1] }, 'retry must be an object, got an array'],
    [{ retry: { maxretries: 1 } }, 'unknown option retry.maxretries (did you mean "maxRetries"?)'],
  ])('takes objects only: %p', (input, problem) => {
    expect(() => resolveOptions<Example>('producer', readers, input)).toThrow(new OptionsError('producer', [problem]));
  });

  it('takes nothing for no options, and leaves out what has no value', () => {
    const resolved = resolveOptions<Example>('producer', readers, undefined);
    expect(Object.keys(resolved)).toEqual(['lingerMs', 'acks', 'retry', 'isPaused']);
    expect(resolveOptions<Example>('producer', readers, null)).toEqual(resolved);
  });
});

describe('a reader of an option', () => {
  const read = <T>(reader: OptionReader<T>, value: unknown): [T, ...string[]] => {
    const problems: string[] = [];
    const result = reader(value, (problem) => problems.push(problem), 'a');
    return [result, ...problems];
  };

  it('of a number keeps to its range', () => {
    const reader = integer(3, { min: 2, max: 4 });
    expect([undefined, 2, 4].map((value) => read(reader, value))).toEqual([[3], [2], [4]]);
    expect(read(reader, 5)).toEqual([3, 'a must be a whole number from 2 to 4, got 5']);
    expect(read(integer(1), 0)).toEqual([0]);
  });

  it('of a duration takes whole ms, or Infinity for never', () => {
    const reader = duration(7, { min: 2 });
    expect([undefined, 2, Number.POSITIVE_INFINITY].map((value) => read(reader, value))).toEqual([
      [7],
      [2],
      [Number.POSITIVE_INFINITY],
    ]);
    expect(read(reader, 1)).toEqual([7, 'a must be a whole number of at least 2, or Infinity, got 1']);
    expect(read(duration(7), 0)).toEqual([0]);
  });

  it('of true or false takes nothing else', () => {
    expect([undefined, true, false].map((value) => read(boolean(true), value))).toEqual([[true], [true], [false]]);
    expect(read(boolean(true), 0)).toEqual([true, 'a must be true or false, got 0']);
  });

  it('of a string takes no empty one', () => {
    expect([undefined, 'x'].map((value) => read(text('y'), value))).toEqual([['y'], ['x']]);
    expect(read(text('y'), '')).toEqual(['y', 'a must be a string that is not empty, got ""']);
    expect(read(text('y'), 5)).toEqual(['y', 'a must be a string that is not empty, got 5']);
  });

  it('of words takes one of them', () => {
    const reader = oneOf(['one', 'two'], 'two');
    expect([undefined, 'one', 'two'].map((value) => read(reader, value))).toEqual([['two'], ['one'], ['two']]);
    expect(read(reader, 'nine')).toEqual(['two', 'a must be one of one, two, got "nine" (did you mean "one"?)']);
    expect(read(reader, 5)).toEqual(['two', 'a must be one of one, two, got 5']);
  });

  it('of what may be left out has no default, and of what must be given says that it is missing', () => {
    expect([undefined, 5].map((value) => read(optional(integer(3)), value))).toEqual([[undefined], [5]]);
    expect([undefined, 5].map((value) => read(required(integer(3)), value))).toEqual([[3, 'a is missing'], [5]]);
  });

  it('of what code gives asks whether it is that', () => {
    const isList = (value: unknown): value is number[] => Array.isArray(value);
    const otherwise = [1];
    const reader = custom(otherwise, 'a list', isList);
    expect(read(reader, undefined)[0]).toBe(otherwise);
    expect(read(reader, [2])).toEqual([[2]]);
    expect(read(reader, 'x')).toEqual([otherwise, 'a must be a list, got "x"']);
  });
});

describe('a guess at what was meant', () => {
  it.each<[word: unknown, known: string[], guess: string | undefined]>([
    ['partition', ['partitions', 'codec'], 'partitions'],
    ['CODEC', ['partitions', 'codec'], 'codec'],
    ['codce', ['coded', 'codec'], 'coded'],
    ['codecs', ['codices', 'codec'], 'codec'],
    ['ab', ['cd'], 'cd'],
    ['abc', ['xyz'], undefined],
    ['compresion-of-it', ['compression'], undefined],
    ['comprn', ['compression'], undefined],
    ['comprein', ['compression'], 'compression'],
    ['xpressionx', ['compression'], undefined],
    ['', ['abc'], undefined],
    [5, ['5'], undefined],
    ['x', [], undefined],
  ])('for %p among %p is %p', (word, known, guess) => {
    expect(didYouMean(word, known)).toBe(guess === undefined ? '' : ` (did you mean "${guess}"?)`);
  });
});
