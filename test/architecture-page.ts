import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const page = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');

/** A stage of ARCHITECTURE.md, "A message's way". */
export interface Stage {
  readonly half: string;
  readonly name: string;
  /** The function by which the stage is entered, and its file. */
  readonly entry: { readonly name: string; readonly file: string };
  /** The key that the scripts of this stage and of the one before it name, where Redis lies between them. */
  readonly key: string | undefined;
  /** All files of the stage, from the root. */
  readonly files: readonly string[];
}

/** The rows of both tables: stage, what it does, `entry` of `file` (after `key`), its other files. */
export function readStages(): Stage[] {
  const [, way = ''] = /^## A message's way\b.*\n([\s\S]*?)^## /m.exec(page) ?? [];
  return way.split(/^### /m).flatMap((part) => {
    const half = /^The (log|queue)/.exec(part)?.[1] ?? '';
    return [...part.matchAll(/^\| (\w+) +\| [^|]+ \| ([^|]+) \| ([^|]+) \|$/gm)].flatMap(
      ([, name = '', by = '', rest = '']) => {
        const [entry = '', file = '', key] = spans(by);
        if (file === '') return [];
        const files = [file, ...spans(rest)].map((short) => pathOf(half, short));
        return [{ half, name, entry: { name: entry, file: pathOf(half, file) }, key, files }];
      },
    );
  });
}

/** One line per file that is missing, and per stage that the one before it does not lead to. */
export function untrueOf(stage: Stage, before: Stage | undefined): string[] {
  const missing = stage.files.filter((file) => !existsSync(join(root, file)));
  if (missing.length > 0) return missing.map((file) => `${place(stage)}: there is no ${file}`);
  const { entry, key } = stage;
  if (!definition(entry.name).test(textOf(entry.file)))
    return [`${place(stage)}: ${entry.file} has no ${entry.name}()`];
  if (before === undefined || before.files.some((file) => !existsSync(join(root, file)))) return [];
  if (key === undefined) {
    const isCalled = before.files.some((file) =>
      callOf(entry.name).test(textOf(file).replaceAll(definition(entry.name), '')),
    );
    return isCalled ? [] : [`${place(stage)}: no file of stage "${before.name}" calls ${entry.name}()`];
  }
  const silent = [before, stage].filter(
    ({ files }) => !files.some((file) => isStore(file) && namesKey(textOf(file), key)),
  );
  return silent.map(({ name }) => `${place(stage)}: no script of stage "${name}" names the key ${key}`);
}

/** Paths on the page that lead nowhere: of the root, of a lib, or of a half or Nest where the lib is not named; folders of apps too. */
export function missingPaths(): string[] {
  const libs = readdirSync(join(root, 'libs'));
  const paths = [...new Set(spans(page))].filter((span) => /^[\w.-]+\/[\w./-]*$/.test(span));
  return paths.filter((path) => {
    const [first = '', ...rest] = path.split('/');
    const sources = [...libs.filter((lib) => lib === first).map((lib) => join('libs', lib, 'src', ...rest)), path];
    const others = ['libs/log/src', 'libs/queue/src', 'libs/nestjs/src', 'apps', 'apps/demo/src'].map((folder) =>
      join(folder, path),
    );
    return ![...sources, ...others].some(
      (file) => existsSync(join(root, file)) || existsSync(join(root, `${file}.ts`)),
    );
  });
}

/** Names on the page that no source has: `QueueConsumer`. Names of others, such as `XADD`, are in capitals. */
export function missingNames(sources: string): string[] {
  const names = [...new Set(spans(page))].flatMap((span) => /^[A-Z][a-z]\w+/.exec(span)?.[0] ?? []);
  return names.filter((name) => !new RegExp(`\\b${name}\\b`).test(sources));
}

function place({ half, name }: Stage): string {
  return `ARCHITECTURE.md, "A message's way", ${half}, ${name}`;
}

function spans(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);
}

/** `producer/producer` → `libs/log/src/producer/producer.ts`; `libs/…` is a path from the root. */
function pathOf(half: string, short: string): string {
  return short.startsWith('libs/') ? `${short}.ts` : `libs/${half}/src/${short}.ts`;
}

function textOf(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

function isStore(file: string): boolean {
  return file.includes('/store/');
}

function definition(name: string): RegExp {
  return new RegExp(`^(?:export )?(?: {2})?(?:async )?(?:function )?${name}(?:<[^>]*>)?\\(`, 'gm');
}

function callOf(name: string): RegExp {
  return new RegExp(`\\b${name}\\(`);
}

/** In a contract, a script's body or a list of keys. */
function namesKey(text: string, key: string): boolean {
  return new RegExp(`[:.'\\b]${key}\\b|\\b${key}\\b(?=[,)}])`).test(text);
}
