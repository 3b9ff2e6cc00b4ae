import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis } from '@millrace/testing';
import ts from 'typescript';
import { type CodeBlock, codeBlocks, root } from './code-blocks.js';
import { Desk } from './desk.js';
import { exported } from './given-at-run.js';
import { logScenes } from './scenes/log.js';
import { neighbourScenes } from './scenes/neighbours.js';
import { nestScenes } from './scenes/nest.js';
import { queueScenes } from './scenes/queue.js';
import { recipeScenes } from './scenes/recipes.js';

const scenes = { ...logScenes, ...queueScenes, ...nestScenes, ...neighbourScenes, ...recipeScenes };
// Whole programs are run by `readme-examples-run`.
const blocks = codeBlocks().filter(({ prints }) => prints === undefined);
const runnable = blocks.filter(({ fragmentBecause }) => fragmentBecause === undefined);

describe('a block of code in docs/', () => {
  let redis: RedisServer;
  let folder: string;
  const { log } = console;
  beforeAll(async () => {
    redis = await startRedis();
    // Inside the repository, so that blocks find the packages.
    await mkdir(join(root, '.millrace'), { recursive: true });
    folder = await mkdtemp(join(root, '.millrace/blocks-'));
    Object.assign(globalThis, exported, { expect });
  });
  afterAll(async () => {
    console.log = log;
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('has a scene in which it is run, or is a fragment that says why not', () => {
    expect(Object.keys(scenes).sort()).toEqual(runnable.map(({ name }) => name).sort());
  });

  it.each(runnable)('runs, and does what the page says: $name', async (block) => {
    const scene = scenes[block.name];
    const desk = new Desk(redis);
    await desk.open();
    try {
      // given
      await scene?.before?.(desk);
      Object.assign(globalThis, { meanwhile: () => scene?.meanwhile?.(desk) });
      // when
      const file = join(folder, `${block.name.replaceAll(/[^a-z0-9]+/g, '-')}.ts`);
      await writeFile(file, desk.typed(asModule(block)));
      const declared = await import(file);
      // then
      await scene?.check(desk, (name) => declared[name]);
    } finally {
      await desk.close();
    }
  });
});

/** The block with all that it declares exported, and a place for what the page leaves to its reader with `// …`. */
function asModule({ code, place }: CodeBlock): string {
  const { statements } = ts.createSourceFile(place, code, ts.ScriptTarget.ES2023, true);
  const names = statements.flatMap((statement) => {
    const isExported = ts.canHaveModifiers(statement) && ts.getModifiers(statement)?.some(isExport);
    if (isExported) return [];
    if (ts.isClassDeclaration(statement)) return statement.name?.text ?? [];
    if (!ts.isVariableStatement(statement)) return [];
    return statement.declarationList.declarations.flatMap(({ name }) => (ts.isIdentifier(name) ? name.text : []));
  });
  return `${code.replace(/^\/\/ …$/m, 'await meanwhile();')}\nexport { ${names.join(', ')} };\n`;
}

function isExport({ kind }: ts.ModifierLike): boolean {
  return kind === ts.SyntaxKind.ExportKeyword;
}
