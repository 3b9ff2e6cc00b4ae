import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { type CodeBlock, codeBlocks, root } from './code-blocks.js';

/** With more of them, the pages would show code that was never run. */
const mostFragments = 1;

const given = join(root, 'test/docs/given.ts');
const blocks = codeBlocks();

/** Every block is a module of its own, beside the names that pages take for granted (`given.ts`). */
function problemsOf(compiled: readonly CodeBlock[]): string[] {
  const files = new Map(compiled.map((block, index) => [join(root, 'test/docs', `block-${index}.ts`), block]));
  const options: ts.CompilerOptions = {
    ...ts.readConfigFile(join(root, 'tsconfig.base.json'), ts.sys.readFile).config.compilerOptions,
    target: ts.ScriptTarget.ES2023,
    lib: ['lib.es2023.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ['node'],
    noEmit: true,
    declaration: false,
    sourceMap: false,
    inlineSources: false,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  const textOf = (name: string): string | undefined => {
    const block = files.get(name);
    return block === undefined ? undefined : `${block.code}\nexport {};\n`;
  };
  host.fileExists = (name) => files.has(name) || fileExists.call(host, name);
  host.readFile = (name) => textOf(name) ?? readFile.call(host, name);
  host.getSourceFile = (name, language, ...rest) => {
    const text = textOf(name);
    return text === undefined
      ? getSourceFile.call(host, name, language, ...rest)
      : ts.createSourceFile(name, text, language);
  };
  const program = ts.createProgram([given, ...files.keys()], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const block = files.get(file?.fileName ?? '');
    const line = file?.getLineAndCharacterOfPosition(start).line ?? 0;
    const text = ts.flattenDiagnosticMessageText(messageText, '\n');
    return `${block?.place ?? file?.fileName}, line ${line + 1} of the block: ${text}`;
  });
}

describe('the code in the README and in docs/', () => {
  it('compiles against what was built', () => {
    // Types come from the build, as users get them.
    expect(existsSync(join(root, 'libs/nestjs/dist/index.d.ts'))).toBe(true);
    expect(blocks.length).toBeGreaterThan(20);
    expect(problemsOf(blocks.filter(({ fragmentBecause }) => fragmentBecause === undefined))).toEqual([]);
    // Eight seconds of a core; a busy machine has less than one.
  }, 120_000);

  it('is hardly ever a fragment, and then says why', () => {
    const fragments = blocks.filter(({ fragmentBecause }) => fragmentBecause !== undefined);
    expect(fragments.length).toBeLessThanOrEqual(mostFragments);
    expect(fragments.filter(({ fragmentBecause = '' }) => fragmentBecause.length < 10)).toEqual([]);
  });

  it('is not hidden from this test under another name of the language', () => {
    const others = blocks.map(({ place }) => place.split(':')[0] ?? '');
    for (const page of new Set(others)) {
      expect(readFileSync(join(root, page), 'utf8')).not.toMatch(/^```(typescript|tsx|js|javascript)$/m);
    }
  });
});
