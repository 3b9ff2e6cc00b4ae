import { describe, expect, it } from '@jest/globals';
import { routingKeyProblem } from './routing-key.js';

describe('a routing key', () => {
  it.each(['', 'a.b', '*.#', 'x'.repeat(255), 'é'.repeat(127), '🙂'])('is any string up to 255 bytes: %p', (key) => {
    expect(routingKeyProblem(key)).toBeUndefined();
  });

  it.each<[key: unknown, problem: string]>([
    [null, 'routing key must be a string, got null'],
    [5, 'routing key must be a string, got number'],
    [{}, 'routing key must be a string, got object'],
    ['x'.repeat(256), `routing key "${'x'.repeat(40)}…" is longer than 255 bytes`],
    ['€'.repeat(86), `routing key "${'€'.repeat(40)}…" is longer than 255 bytes`],
    ['a\ud800', 'routing key holds half a surrogate pair, which UTF-8 cannot encode'],
  ])('is not %p', (key, problem) => {
    expect(routingKeyProblem(key)).toBe(problem);
  });
});
