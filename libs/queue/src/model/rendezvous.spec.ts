import { describe, expect, it } from '@jest/globals';
import { chooseByHash } from './rendezvous.js';

describe('a choice by hash', () => {
  it('is the same in every process and version', () => {
    const choices = ['a', 'b', 'c', 'd'].map((name, at) => ({ name, weight: at + 1, value: name }));
    const chosen = Array.from({ length: 20 }, (_, n) => `key-${n}`).map((key) => chooseByHash(key, choices));
    expect(chosen.join('')).toBe('ddacdcddbbdcabcbbacc');
    expect(chooseByHash('a', [])).toBeUndefined();
  });
});
