import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { stampOf } from './build.mjs';

/**
 * Compiles libs to CommonJS when a source changed since the last time. File by file, without types: `isolatedModules` guarantees that this
 * is what tsc would emit, in a fifth of its time. The declarations are those of the ESM build, which has checked all types.
 */
export async function buildCommonJs(root, say) {
  const stampFile = join(root, '.millrace/commonjs-stamp');
  const libs = readdirSync(join(root, 'libs')).map((lib) => join(root, 'libs', lib));
  const stamp = stampOf(root);
  const isThere = libs.every((lib) => existsSync(join(lib, 'dist/cjs/index.js')));
  if (isThere && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  say('Building for CommonJS.');
  const { default: typescript } = await import('typescript');
  const compilerOptions = { ...settings(typescript, root), module: typescript.ModuleKind.CommonJS };
  for (const lib of libs)
    buildLib(lib, (text, fileName) => typescript.transpileModule(text, { fileName, compilerOptions }));
  writeFileSync(stampFile, stamp);
}

function settings(typescript, root) {
  const { config } = typescript.readConfigFile(join(root, 'tsconfig.base.json'), typescript.sys.readFile);
  const { module: _module, moduleResolution: _resolution, declaration: _declaration, ...own } = config.compilerOptions;
  return typescript.convertCompilerOptionsFromJson(own, root).options;
}

function buildLib(lib, transpile) {
  const [from, esm, to] = ['src', 'dist', 'dist/cjs'].map((folder) => join(lib, folder));
  const written = new Set();
  const write = (file, text) => {
    written.add(file);
    replaceFile(join(to, file), text);
  };
  write('package.json', `${JSON.stringify({ type: 'commonjs', sideEffects: false })}\n`);
  for (const file of readdirSync(from, { recursive: true })) {
    const [, path, kind] = /^(?!.*\.spec\.ts$)(.*)\.(c?)ts$/.exec(file) ?? [];
    if (path === undefined) continue;
    const source = readFileSync(join(from, file), 'utf8');
    const { outputText, sourceMapText } = transpile(source, file);
    const emitted = `${path}.${kind}js`;
    write(emitted, outputText);
    const map = { ...JSON.parse(sourceMapText), sources: [relative(dirname(join(to, file)), join(from, file))] };
    write(`${emitted}.map`, JSON.stringify(map));
    const declarations = `${path}.d.${kind}ts`;
    write(declarations, readFileSync(join(esm, declarations), 'utf8'));
  }
  removeOthers(to, written);
}

/** Never leaves half a file: another process may be packing the folder. */
function replaceFile(file, text) {
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, text);
  renameSync(draft, file);
}

/** What was compiled from sources that are gone. */
function removeOthers(folder, written) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !written.has(relative(folder, path)) && !/\.\d+$/.test(entry.name)) rmSync(path);
  }
}
