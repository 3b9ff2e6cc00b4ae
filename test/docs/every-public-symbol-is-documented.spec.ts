import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { entryPoints, publicSymbols } from './public-symbols.js';

describe('the API documentation', () => {
  it('says of every entry point what it is, under the name that it is imported by', () => {
    const nameless = entryPoints().filter(({ name, file }) => {
      const [comment = ''] = readFileSync(file, 'utf8').split('*/');
      return !/^\/\*\*\n \* \w/.test(comment) || !comment.includes(` * @module ${name}\n`);
    });
    expect(nameless).toEqual([]);
  });

  it('has a docstring for every name that users can import, and for each of its public members', () => {
    // given
    const symbols = publicSymbols();
    const libs = new Set(entryPoints().map(({ lib }) => lib));
    // That all were read, members too.
    expect(new Set(symbols.map(({ name }) => name.split(':')[0]))).toEqual(libs);
    expect(symbols.filter(({ name }) => name.includes('.')).length).toBeGreaterThan(symbols.length / 2);
    // when
    const undocumented = symbols.filter(({ text }) => text === '').map(({ name, place }) => `${name} (${place})`);
    // then
    expect(undocumented.sort()).toEqual([]);
  }, 120_000);
});
