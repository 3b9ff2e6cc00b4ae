import { describe, expect, it } from '@jest/globals';
import { readOptions } from './options.js';

describe('the options of a chaos run', () => {
  it('have defaults', () => {
    expect(readOptions([])).toMatchObject({ seed: 1, seconds: 60, rate: 200, servers: 'one', jsonPath: undefined });
  });

  it('are read', () => {
    const args = ['--seed', '7', '--seconds', '120', '--cluster', '--json', 'a.json'];
    expect(readOptions(args)).toMatchObject({ seed: 7, seconds: 120, servers: 'cluster', jsonPath: 'a.json' });
    expect(readOptions(['--sentinel'])).toMatchObject({ servers: 'sentinel' });
  });

  it('are refused with all problems', () => {
    expect(() => readOptions(['--seed', 'x', '--seconds', '1'])).toThrow(/--seed .*got "x"\n- --seconds .*got "1"/s);
    expect(() => readOptions(['--sede', '1'])).toThrow(/sede/);
    expect(() => readOptions(['--cluster', '--sentinel'])).toThrow(/--cluster and --sentinel .*one of them/);
  });
});
