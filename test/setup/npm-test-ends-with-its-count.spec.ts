import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeRoot } from './fake-root.js';

describe('npm test', () => {
  let root: FakeRoot;
  beforeEach(() => {
    root = new FakeRoot();
  });
  afterEach(() => root.remove());

  const test = (...args: string[]) => root.run('scripts/test.mjs', '--cache=false', ...args);

  it.each([
    ['all pass', "test('a', () => {}); test('b', () => {});", '2 passed, 0 failed', 0],
    ['one fails', "test('a', () => {}); test('b', () => { throw new Error('b'); });", '1 passed, 1 failed', 1],
    ['a file cannot be loaded', 'this is no JavaScript', '0 passed, 1 failed', 1],
    ['one is skipped', "test('a', () => {}); test.skip('b', () => {});", '1 passed, 0 failed, 1 skipped', 0],
  ])('says on its last line, alone, how many passed and failed, when %s', (_, spec, lastLine, code) => {
    root.write('some.spec.cjs', spec);
    const { lines, status } = test();
    expect(lines.at(-1)).toBe(lastLine);
    expect(status).toBe(code);
  });

  it('names what was skipped', () => {
    root.write(
      'some.spec.cjs',
      "describe('over TLS', () => { test.skip('it works', () => {}); }); test('a', () => {});",
    );
    expect(test().lines).toContain('Skipped: over TLS it works');
  });

  it("hands arguments on to Jest, and says Jest's no when no test fits", () => {
    root.write('some.spec.cjs', "test('a', () => {});");
    const { errors, status, lines } = test('no-such-file');
    expect(errors + lines.join('\n')).toContain('No tests found');
    expect(status).toBe(1);
  });

  it('draws a seed that no run had before, prints it, and hands it to every spec', () => {
    root.write(
      'some.spec.cjs',
      "test('a', () => { throw new Error('seed ' + process.env.MILLRACE_FRESH_FUZZ_SEED + ';'); });",
    );
    const [first, second] = [test(), test()].map(({ lines, errors }) => {
      const seed = /^Fresh fuzz seed: (\d+) /m.exec(lines.join('\n'))?.[1];
      expect(errors).toContain(`seed ${seed};`);
      return seed;
    });
    expect(first).not.toBe(second);
  });
});
