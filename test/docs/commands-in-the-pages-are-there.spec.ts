import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { readOptions } from '../../apps/bench/src/options.js';
import { scenarios as measured } from '../../apps/bench/src/scenarios.js';
import { readCommand } from '../../apps/demo/src/command.js';
import { scenarios as watched } from '../../apps/demo/src/scenarios.js';
import { pages, root } from './code-blocks.js';

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
const texts = [...pages(), join(root, 'ARCHITECTURE.md'), join(root, 'CONTRIBUTING.md')].map((page) => ({
  page: relative(root, page),
  text: readFileSync(page, 'utf8'),
}));
const blocks = texts.flatMap(({ page, text }) =>
  [...text.matchAll(/^(?:<!-- (\w+).* -->\n)?```(\w*)\n([\s\S]*?)^```$/gm)].map(
    ([, mark, language = '', content = '']) => ({ page, mark, language, content }),
  ),
);

/** What is wrong with a command line that a page shows; undefined when nothing is. */
function problemOf(line: string): string | undefined {
  const [program = '', ...words] = (line.split(/ +# /)[0] ?? '').trim().split(/ +/);
  const rest = words.includes('--') ? words.slice(words.indexOf('--') + 1) : [];
  if (program === 'node') return existsSync(join(root, sourceOf(words[0] ?? ''))) ? undefined : `no program: ${line}`;
  if (program !== 'npm') return `no test checks: ${line}`;
  const script = words[0] === 'run' ? (words[1] ?? '') : (words[0] ?? '');
  if (script === 'ci') return undefined;
  if (!(script in scripts)) return `no script: ${line}`;
  if (script === 'bench') return thrownBy(() => readOptions(rest, measured));
  if (script !== 'start') return undefined;
  const command = readCommand(rest, watched);
  return command.kind === 'wrong' ? command.problem : undefined;
}

function sourceOf(program: string): string {
  return program.replace('/dist/', '/src/').replace(/\.js$/, '.ts');
}

function thrownBy(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return String(error);
  }
}

describe('a command that a page shows', () => {
  it('is in a block whose language a test checks', () => {
    // `ts`: compiled and run. No language: the layers of ARCHITECTURE.md and the users of Redis, which have tests of their own.
    const languages = new Set(blocks.map(({ language }) => language));
    expect([...languages].sort()).toEqual(['', 'json', 'sh', 'ts', 'yaml']);
    const plain = blocks.filter(({ language }) => language === '').map(({ page }) => page);
    expect([...new Set(plain)]).toEqual(['docs/operations.md', 'ARCHITECTURE.md']);
    expect(blocks.filter(({ language }) => language === 'json').map(({ page }) => page)).toEqual(['docs/keyspace.md']);
  });

  it('exists, and takes the arguments that are shown', () => {
    // `steps` and `then` are followed word for word by test/packages, `curl` by test/demo.
    const shell = blocks.filter(({ language, mark }) => language === 'sh' && mark !== 'steps' && mark !== 'then');
    const lines = shell.flatMap(({ content }) => content.replaceAll('\\\n', ' ').split('\n'));
    const commands = lines.filter((line) => /^[a-z]/.test(line) && !line.startsWith('curl'));
    expect(commands.length).toBeGreaterThan(8);
    expect(commands.flatMap((line) => problemOf(line) ?? [])).toEqual([]);
  });

  it('names no command in its sentences that there is not', () => {
    const inline = texts.flatMap(({ text }) =>
      [...text.matchAll(/`(npm (?:run |start|test)[^`]*)`/g)].map(([, line]) => line),
    );
    expect(inline.length).toBeGreaterThan(8);
    const whole = inline.filter((line = '') => !/[<…[]/.test(line));
    expect(whole.flatMap((line = '') => problemOf(line) ?? [])).toEqual([]);
  });

  it('has configuration that can be read', () => {
    for (const { content, language } of blocks.filter((block) => block.language === 'yaml')) {
      const [trigger] = parse(content).spec.triggers;
      expect({ language, type: trigger.type }).toEqual({ language: 'yaml', type: 'prometheus' });
      // KEDA takes texts only.
      expect(Object.values(trigger.metadata).filter((value) => typeof value !== 'string')).toEqual([]);
    }
  });
});
