import { describe, expect, it } from '@jest/globals';
import { OptionsError } from './errors.js';
import { boolean, integer, object, oneOf, optional, required, resolveOptions, text } from './options.js';

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

  it('names every problem at once, with a guess at what was meant', () => {
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
});
