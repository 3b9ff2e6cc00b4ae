import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from './run.mjs';

/** Compiles libs and apps when a source changed since the last build. */
export function build(root, say) {
  const stampFile = join(root, '.millrace/build-stamp');
  const stamp = stampOf(root);
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp && hasOutput(root)) return;
  say('Building (tsc -b).');
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b', 'tsconfig.build.json'], { cwd: root });
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, stamp);
}

/** Changes with every source and every setting. Made of names, sizes and modification times, so no file is read. */
export function stampOf(root) {
  const hash = createHash('sha256');
  for (const file of ['tsconfig.base.json', 'tsconfig.build.json', 'package-lock.json']) add(hash, join(root, file));
  for (const project of projects(root)) {
    for (const name of ['package.json', 'tsconfig.json']) add(hash, join(project, name));
    for (const entry of readdirSync(join(project, 'src'), { recursive: true }).sort())
      add(hash, join(project, 'src', entry));
  }
  return hash.digest('hex');
}

function add(hash, file) {
  const { size, mtimeMs } = statSync(file);
  hash.update(`${file}\n${size}\n${mtimeMs}\n`);
}

function hasOutput(root) {
  return projects(root).every((project) => existsSync(join(project, 'dist/.tsbuildinfo')));
}

function projects(root) {
  const { references } = JSON.parse(readFileSync(join(root, 'tsconfig.build.json'), 'utf8'));
  return references.map(({ path }) => join(root, path));
}
