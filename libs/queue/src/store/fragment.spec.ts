import { describe, expect, it } from '@jest/globals';
import { turnKeys } from './consumer-keys.js';
import { composed, type Fragment } from './fragment.js';
import { turnArgs, turnParts } from './turn-script.js';

const ofLua =
  'and break do else elseif end false for function if in local nil not or repeat return then true until while ' +
  'call redis cmsgpack cjson math table ipairs pairs tonumber tostring unpack KEYS ARGV';

/** The names in a piece of Lua: all of them, and those that it does not declare itself. */
function namesIn(lua: string): { readonly all: Set<string>; readonly free: Set<string> } {
  const code = lua.replaceAll(/--.*|'(?:[^'\\]|\\.)*'/g, ' ');
  const declared = [
    ...code.matchAll(/\blocal (?!function\b)([\w, ]+)/g),
    ...code.matchAll(/\bfor ([\w, ]+?) *(?:=|\bin\b)/g),
    ...code.matchAll(/\bfunction \w*\(([\w, ]*)\)/g),
    ...code.matchAll(/\blocal function (\w+)/g),
  ].flatMap(([, names = '']) => names.match(/\w+/g) ?? []);
  const own = new Set([...ofLua.split(' '), ...declared]);
  const names = [...code.matchAll(/(?<![\w.:])[A-Za-z_]\w*/g)].map(([name]) => name);
  return { all: new Set(names), free: new Set(names.filter((name) => !own.has(name))) };
}

/** What the parts of a script say of their names that is not so. */
function problemsOf(parts: readonly Fragment[], given: readonly string[]): string[] {
  const known = new Set(given);
  return parts.flatMap(({ reads, sets, lua }, index) => {
    const { all, free } = namesIn(lua);
    const declared = new Set([...reads, ...sets]);
    const problems = [
      ...[...free].filter((name) => !declared.has(name)).map((name) => `uses ${name} without saying so`),
      ...[...declared].filter((name) => !all.has(name)).map((name) => `does not use ${name}`),
      ...reads.filter((name) => !known.has(name)).map((name) => `reads ${name}, which nothing before it sets`),
    ];
    for (const name of sets) known.add(name);
    return problems.map((problem) => `part ${index + 1} ${problem}`);
  });
}

describe('the parts of a script', () => {
  it('keep their own names to themselves, and hand on those that they set', () => {
    const parts: Fragment[] = [
      { reads: [], sets: ['sum'], lua: `local one = 1\nsum = one` },
      { reads: ['sum'], sets: ['sum', 'more'], lua: `more = sum > 0\nsum = sum + 1` },
    ];
    expect(composed(parts)).toBe(
      ['local sum', 'do', 'local one = 1', 'sum = one', 'end'].join('\n') +
        ['\nlocal more', 'do', 'more = sum > 0', 'sum = sum + 1', 'end'].join('\n'),
    );
    expect(problemsOf(parts, [])).toEqual([]);
  });

  it('are found out when they use what they do not declare, or declare what is not there', () => {
    const part = { reads: ['a', 'b'], sets: ['d'], lua: `local x = a -- b\nd = {y = c, 'e'}\nx:f(x.g)` };
    expect(problemsOf([part], ['b'])).toEqual([
      'part 1 uses y without saying so',
      'part 1 uses c without saying so',
      'part 1 does not use b',
      'part 1 reads a, which nothing before it sets',
    ]);
  });

  it('of a turn read what they declare, and what is there', () => {
    expect(problemsOf(turnParts, [...turnKeys, ...turnArgs, 'firstList', 'firstItem', 'addTo'])).toEqual([]);
  });
});
