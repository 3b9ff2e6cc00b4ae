import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { missingNames, missingPaths, readStages, untrueOf } from './architecture-page.js';

/**
 * Holds the house to ARCHITECTURE.md. Each failure names the file, what it did, and why that is not done here.
 */
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Which lib may import which: ARCHITECTURE.md, "The libs". */
const mayImport: Record<string, readonly string[]> = {
  core: [],
  redis: ['core'],
  delivery: ['core'],
  log: ['core', 'redis', 'delivery'],
  queue: ['core', 'redis', 'delivery'],
  bridge: ['core', 'redis', 'delivery', 'log', 'queue'],
  admin: ['core', 'redis', 'delivery', 'log', 'queue'],
  metrics: ['core', 'redis', 'delivery', 'log', 'queue', 'admin'],
  nestjs: ['core', 'redis', 'delivery', 'log', 'queue', 'bridge', 'admin', 'metrics'],
  testing: ['core', 'redis', 'delivery', 'log', 'queue', 'bridge', 'admin', 'metrics', 'nestjs'],
};
/** The folders of a queue's consumer, and which folders of the lib each may import, types included: ARCHITECTURE.md, "A queue's consumer". */
const consumerFolders: Record<string, readonly string[]> = {
  handling: ['model', 'store', 'rpc'],
  turns: ['model', 'store'],
  session: ['model', 'store', 'topology'],
  consumer: ['handling', 'turns', 'session', 'model', 'store', 'rpc', 'endings'],
};
/** Where folders still import each other in a circle, types included. */
const hasCircles: readonly string[] = ['libs/nestjs'];
const maxLines = 250;
/** The one file that may call `setTimeout`. */
const timers = 'libs/core/src/timer.ts';
/** Looks for a package that an application may have or not. */
const msgpack = 'libs/core/src/msgpack-codec.ts';

interface SourceFile {
  /** From the root: `libs/log/src/producer.ts`. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const files = ['libs', 'apps'].flatMap((folder) => sourceFiles(join(root, folder)));
const libFiles = files.filter(({ path }) => path.startsWith('libs/'));

describe('ARCHITECTURE.md', () => {
  it.each(['log', 'queue'])('leads a message of the %s through the stages of ARCHITECTURE.md', (half) => {
    const stages = readStages().filter((stage) => stage.half === half);
    expect(stages).toHaveLength(6);
    expect(stages.flatMap((stage, index) => untrueOf(stage, stages[index - 1]))).toEqual([]);
  });

  it('names files and classes that exist', () => {
    expect(missingPaths()).toEqual([]);
    expect(missingNames(files.map(({ text }) => text).join('\n'))).toEqual([]);
  });
});

describe('the house', () => {
  it('lets a lib import only the libs below it', () => {
    const offences = libFiles.flatMap((file) => {
      const lib = libOf(file);
      const allowed = mayImport[lib];
      if (allowed === undefined) return [`libs/${lib} is not in the table of ARCHITECTURE.md, "The libs": add it`];
      return file.imports
        .filter((name) => name.startsWith('@millrace/') && !allowed.includes(name.slice('@millrace/'.length)))
        .map(
          (name) => `${file.path} imports ${name}: ${lib} may import ${allowed.join(', ') || 'no lib'} ("The libs")`,
        );
    });
    expect(offences).toEqual([]);
  });

  it('lists in package.json what a lib imports, and nothing else', () => {
    const offences = libFolders().flatMap((lib) => {
      const declared = declaredDependencies(lib);
      const used = new Set(
        libFiles
          .filter((file) => libOf(file) === lib && !file.path.endsWith('.spec.ts'))
          .flatMap((file) => file.imports)
          .filter((name) => !name.startsWith('.') && !name.startsWith('node:'))
          .map(packageOf),
      );
      const missing = [...used].filter((name) => !declared.has(name) && name !== `@millrace/${lib}`);
      const unused = [...declared].filter((name) => name.startsWith('@millrace/') && !used.has(name));
      return [
        ...missing.map(
          (name) => `libs/${lib} imports ${name}, which its package.json does not list: users would miss it`,
        ),
        ...unused.map((name) => `libs/${lib}/package.json lists ${name}, which nothing in it imports`),
      ];
    });
    expect(offences).toEqual([]);
  });

  it('keeps models pure, and stores away from the objects that use them', () => {
    const offences = libFiles.flatMap((file) => {
      const folder = folderOf(file);
      if (file.path.endsWith('.spec.ts')) return [];
      return localImports(file).flatMap((target) => {
        const other = folderOf(target);
        if (libOf(target) !== libOf(file) || folder === other) return [];
        if (folder === 'model') return [`${file.path} imports ${target.path}: model/ is pure and imports only model/`];
        if (folder === 'store' && other !== 'model') {
          return [`${file.path} imports ${target.path}: store/ holds keys and scripts and imports only model/`];
        }
        return [];
      });
    });
    expect(offences).toEqual([]);
  });

  it('lets the folders of a consumer know of each other only through the seams that they declare', () => {
    const offences = libFiles
      .filter((file) => libOf(file) === 'queue' && !file.path.endsWith('.spec.ts'))
      .flatMap((file) => {
        const folder = folderOf(file);
        // The façade beside index.ts puts the folders together.
        if (folder === '') return [];
        const allowed = consumerFolders[folder];
        return localImports(file)
          .filter((target) => folderOf(target) !== folder)
          .filter((target) =>
            allowed === undefined ? folderOf(target) in consumerFolders : !allowed.includes(folderOf(target)),
          )
          .map(
            (target) =>
              `${file.path} imports ${target.path}: ${folder}/ may import ${allowed?.join(', ') ?? 'no folder of a consumer'}. ` +
              `Declare what it needs as a …Context or …Listener in ${folder}/, and let consumer/ provide it`,
          );
      });
    expect(offences).toEqual([]);
  });

  it('keeps the clock, random numbers and I/O out of core and models', () => {
    const impure =
      /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bsetTimeout\(|\bsetInterval\(|\bprocess\.|from 'node:(?!buffer|util|assert|crypto|zlib)/;
    const offences = libFiles
      .filter((file) => !file.path.endsWith('.spec.ts') && file.path !== timers && file.path !== msgpack)
      .filter((file) => libOf(file) === 'core' || folderOf(file) === 'model')
      .flatMap((file) => linesMatching(file, impure))
      .map((place) => `${place}: core and model/ take the time and random numbers as arguments, and do no I/O`);
    expect(offences).toEqual([]);
  });

  it('starts every timer in one place', () => {
    const own = /(?<![.\w])setTimeout\(|from 'node:timers/;
    const offences = libFiles
      .filter((file) => !file.path.endsWith('.spec.ts') && file.path !== timers && libOf(file) !== 'testing')
      .flatMap((file) => linesMatching(file, own))
      .map(
        (place) => `${place}: Node's timers fire immediately beyond 2^31 ms; use startTimer or pause of @millrace/core`,
      );
    expect(offences).toEqual([]);
  });

  it('lets only libs/redis and store/ know ioredis, and only the Nest folders know Nest', () => {
    const offences = files.flatMap((file) =>
      file.imports.flatMap((name) => {
        if (
          packageOf(name) === 'ioredis' &&
          !(libOf(file) === 'redis' || folderOf(file) === 'store' || isBench(file))
        ) {
          return [`${file.path} imports ioredis: only libs/redis and store/ know it, so that it can be replaced`];
        }
        const mayKnowNest =
          ['nestjs', 'metrics'].includes(libOf(file)) || file.path.startsWith('apps/') || folderOf(file) === 'harness';
        if (name.startsWith('@nestjs/') && !mayKnowNest) {
          return [`${file.path} imports ${name}: the log and the queue are complete without Nest`];
        }
        return [];
      }),
    );
    expect(offences).toEqual([]);
  });

  it('has no import cycles', () => {
    expect(cycles(libFiles).map((cycle) => `${cycle.join(' → ')}: cut the cycle, or move what both need`)).toEqual([]);
  });

  it('has no circle of folders, types included', () => {
    const offences = packagesOf(files)
      .filter((name) => !hasCircles.includes(name))
      .flatMap((name) => roomCircles(name, files));
    expect(offences).toEqual([]);
  });

  it('has folders in circles where the list above says so, and nowhere else', () => {
    expect(hasCircles.filter((name) => roomCircles(name, files).length === 0)).toEqual([]);
  });

  it(`keeps a source file under ${maxLines} lines`, () => {
    const offences = files
      .filter((file) => !file.path.endsWith('.spec.ts'))
      .map((file) => ({ path: file.path, lines: file.text.split('\n').length - 1 }))
      .filter(({ lines }) => lines > maxLines)
      .map(({ path, lines }) => `${path} has ${lines} lines: it holds more than one noun, so give each a file`);
    expect(offences).toEqual([]);
  });

  it('names files after nouns, with one index a lib', () => {
    const vague = /\/(utils?|helpers?|common|base|manager|service|types|interfaces|constants)\.ts$/;
    const offences = files
      .filter(
        ({ path }) =>
          vague.test(path) || (/\/index\.ts$/.test(path) && !/^(libs|apps)\/[^/]+\/src\/index\.ts$/.test(path)),
      )
      .map(({ path }) => `${path}: name the file after the noun in it; inner index files make cycles`);
    expect(offences).toEqual([]);
  });
});

function sourceFiles(folder: string): SourceFile[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => path.includes('/src/') && !path.includes('/node_modules/'))
    .map((path) => {
      const text = readFileSync(path, 'utf8');
      const code = text.replace(/\/\*[\s\S]*?\*\//g, '');
      const imports = [
        ...code.matchAll(/^\s*(?:import|export)\b[^;'"]*?from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\('([^']+)'\)/gm),
      ];
      return {
        path: relative(root, path),
        text,
        imports: imports.map((match) => match[1] ?? match[2] ?? match[3] ?? ''),
      };
    });
}

function libFolders(): string[] {
  return [...new Set(libFiles.map(libOf))];
}

function libOf(file: SourceFile): string {
  return file.path.split('/')[1] ?? '';
}

/** `model`, `store`, another folder of the lib, or '' for the active objects beside index.ts. */
function folderOf(file: SourceFile): string {
  const parts = file.path.split('/');
  return parts.length > 4 ? (parts[3] ?? '') : '';
}

/** The bench measures against plain ioredis: its peers are its business. */
function isBench(file: SourceFile): boolean {
  return file.path.startsWith('apps/bench/');
}

function packageOf(name: string): string {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}

function declaredDependencies(lib: string): Set<string> {
  const manifest = JSON.parse(readFileSync(join(root, 'libs', lib, 'package.json'), 'utf8'));
  return new Set(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }));
}

function localImports(file: SourceFile): SourceFile[] {
  return file.imports
    .filter((name) => name.startsWith('.'))
    .map((name) => relative(root, resolve(root, dirname(file.path), name.replace(/\.js$/, '.ts'))))
    .flatMap((path) => files.filter((other) => other.path === path));
}

function linesMatching(file: SourceFile, pattern: RegExp): string[] {
  return file.text
    .split('\n')
    .map((line, index) => ({ line, number: index + 1 }))
    .filter(({ line }) => !/^\s*(\*|\/\/|\/\*)/.test(line) && pattern.test(line))
    .map(({ line, number }) => `${file.path}:${number}: ${line.trim()}`);
}

/** Cycles of value imports (type-only ones vanish at run time), each once. */
function cycles(all: readonly SourceFile[]): string[][] {
  const imported = new Map(
    all.map((file) => [file.path, localImports(withoutTypeImports(file)).map(({ path }) => path)]),
  );
  return cyclesOf(imported);
}

/**
 * Circles of a package's folders, each once, with an import for each step. A file beside index.ts counts as one. Imports of
 * types count: who changes one folder of a circle has to know the others.
 */
function roomCircles(name: string, all: readonly SourceFile[]): string[] {
  const folders = new Map<string, Map<string, string>>();
  for (const file of all) {
    if (packageFolder(file) !== name || file.path.endsWith('.spec.ts')) continue;
    const own = folderOf(file) || file.path;
    const steps = folders.get(own) ?? new Map<string, string>();
    folders.set(own, steps);
    for (const target of localImports(file)) {
      const other = folderOf(target) || target.path;
      if (packageFolder(target) === name && other !== own) steps.set(other, `${file.path} imports ${target.path}`);
    }
  }
  const graph = new Map([...folders].map(([folder, steps]) => [folder, [...steps.keys()]]));
  return cyclesOf(graph).map((circle) => {
    const steps = circle.slice(1).map((folder, index) => folders.get(circle[index] ?? '')?.get(folder));
    const way =
      'declare what a folder needs beside it, as a …Context or …Listener ("A queue\'s consumer"), or move what both need';
    return `${name}: ${circle.join(' → ')} (${steps.join('; ')}): ${way}`;
  });
}

/** Cycles of a graph, each once. */
function cyclesOf(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const done = new Set<string>();
  const visit = (node: string, path: readonly string[]): void => {
    const start = path.indexOf(node);
    if (start >= 0) {
      found.push([...path.slice(start), node]);
      return;
    }
    if (done.has(node)) return;
    for (const next of graph.get(node) ?? []) visit(next, [...path, node]);
    done.add(node);
  };
  for (const node of graph.keys()) visit(node, []);
  return found;
}

/** `libs/log`, `apps/bench` */
function packageFolder(file: SourceFile): string {
  return file.path.split('/').slice(0, 2).join('/');
}

function packagesOf(all: readonly SourceFile[]): string[] {
  return [...new Set(all.map(packageFolder))];
}

function withoutTypeImports(file: SourceFile): SourceFile {
  const typeOnly = new Set(
    [...file.text.matchAll(/^(?:import|export) type [^;]*?from '([^']+)'/gm)].map((match) => match[1]),
  );
  return { ...file, imports: file.imports.filter((name) => !typeOnly.has(name)) };
}
