import { describe, expect, it } from '@jest/globals';
import { OptionsError } from './errors.js';
import { assertName, deadLettersOf, keepsDeadLetters, nameProblem, sourceOfDeadLetters } from './names.js';

describe('a name', () => {
  it.each(['a', 'Orders-2.eu_west/a@b~c+d', 'x'.repeat(255), '0'])('is %p', (name) => {
    expect(nameProblem('topic', name)).toBeUndefined();
    expect(() => assertName('topic', name)).not.toThrow();
  });

  it.each<[name: unknown, problem: string]>([
    [undefined, 'topic name must be a string, got undefined'],
    [null, 'topic name must be a string, got null'],
    [5, 'topic name must be a string, got number'],
    [['a'], 'topic name must be a string, got an array'],
    [{}, 'topic name must be a string, got object'],
    ['', 'topic name is empty'],
    ['x'.repeat(256), `topic name "${'x'.repeat(40)}…" is longer than 255 bytes`],
    ['é'.repeat(128), `topic name "${'é'.repeat(40)}…" is longer than 255 bytes`],
    ['a b', 'topic name "a b" may only hold letters, digits and . _ - / @ ~ +'],
    ['{a}', 'topic name "{a}" may only hold letters, digits and . _ - / @ ~ +'],
    ['a:1', 'topic name "a:1" may only hold letters, digits and . _ - / @ ~ +'],
    ['a\n', 'topic name "a\\n" may only hold letters, digits and . _ - / @ ~ +'],
    ['\na', 'topic name "\\na" may only hold letters, digits and . _ - / @ ~ +'],
  ])('is not %p', (name, problem) => {
    expect(nameProblem('topic', name)).toBe(problem);
    expect(() => assertName('topic', name)).toThrow(new OptionsError('topic', [problem]));
  });

  it('says where dead letters are, and of what', () => {
    expect(deadLettersOf('orders')).toBe('orders.dead-letters');
    expect(['orders.dead-letters', 'orders', '.dead-letters.x'].map(keepsDeadLetters)).toEqual([true, false, false]);
    expect(sourceOfDeadLetters('orders.dead-letters')).toBe('orders');
  });
});
