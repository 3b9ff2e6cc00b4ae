import { spawnSync } from 'node:child_process';
import {
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { runJest } from '../test/jest-run.mjs';

/** A spec that takes longer counts as hung. The longest takes half of it on two cores. */
const hangsAfterMs = 180_000;

/** A copy of the repository into which one fault at a time is inserted, in the sources and in the build. */
export class Workspace {
  #root;
  #compilerOptions;

  constructor(source) {
    this.#root = mkdtempSync(join(tmpdir(), 'millrace-mutants-'));
    copyFiles(source, this.#root);
    copyBuild(source, this.#root);
    linkPackages(source, this.#root);
    const { config } = ts.readConfigFile(join(source, 'tsconfig.base.json'), ts.sys.readFile);
    this.#compilerOptions = {
      ...config.compilerOptions,
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2023,
      moduleResolution: undefined,
      lib: undefined,
      declaration: false,
      sourceMap: false,
      inlineSources: false,
    };
  }

  /** `killed` by a test that failed, `hung`, `survived`, or `broken`: the spec could not run at all. */
  async try(mutant) {
    const path = join(this.#root, mutant.file);
    const source = readFileSync(path, 'utf8');
    try {
      const mutated = source.replace(mutant.replace, () => mutant.by);
      this.#write(path, mutated);
      const outcome = await this.run(mutant.spec);
      return { passed: 'survived', failed: 'killed', hung: 'hung', broken: 'broken' }[outcome];
    } finally {
      this.#write(path, source);
    }
  }

  /** Runs a spec: `passed`, `failed`, `hung`, or `broken` when no test of it could run. */
  async run(spec) {
    const args = ['--forceExit', '--runInBand', '--runTestsByPath', spec];
    const { files, isLate } = await runJest(args, { cwd: this.#root, timeoutMs: hangsAfterMs, isQuiet: true });
    const [file] = files ?? [];
    if (isLate) return 'hung';
    if (file === undefined || !file.isLoaded) return 'broken';
    return file.failed > 0 ? 'failed' : 'passed';
  }

  remove() {
    rmSync(this.#root, { recursive: true, force: true });
  }

  /** Tests run the sources; the programs that they start run the build. */
  #write(path, text) {
    writeFileSync(path, text);
    const built = path.replace('/src/', '/dist/').replace(/\.ts$/, '.js');
    if (built === path || !path.endsWith('.ts')) return;
    const { outputText } = ts.transpileModule(text, { compilerOptions: this.#compilerOptions, fileName: path });
    writeFileSync(built, outputText);
  }
}

/** Tracked and new files, without ignored ones. */
function copyFiles(source, target) {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const { stdout } = spawnSync('git', args, { cwd: source, encoding: 'utf8', maxBuffer: 1 << 26 });
  for (const name of stdout.split('\0')) {
    if (name === '' || lstatSync(join(source, name), { throwIfNoEntry: false }) === undefined) continue;
    mkdirSync(dirname(join(target, name)), { recursive: true });
    cpSync(join(source, name), join(target, name));
  }
}

function copyBuild(source, target) {
  for (const folder of ['libs', 'apps']) {
    for (const name of readdirSync(join(source, folder))) {
      const built = join(source, folder, name, 'dist');
      if (lstatSync(built, { throwIfNoEntry: false }) !== undefined)
        cpSync(built, join(target, folder, name, 'dist'), { recursive: true });
    }
  }
}

/** Installed packages are linked; those of the workspace must lead into the copy. */
function linkPackages(source, target) {
  mkdirSync(join(target, 'node_modules'));
  for (const name of readdirSync(join(source, 'node_modules'))) {
    const from = join(source, 'node_modules', name);
    // A scope with workspaces is copied link by link: the links are relative.
    const isScopeOfOurs = name === '@millrace' || name === '@demo';
    if (isScopeOfOurs) cpSync(from, join(target, 'node_modules', name), { recursive: true, verbatimSymlinks: true });
    else symlinkSync(from, join(target, 'node_modules', name));
  }
}
