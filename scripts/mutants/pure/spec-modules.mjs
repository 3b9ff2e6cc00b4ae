import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { compileFunction } from 'node:vm';
import { transformSync } from '@swc/core';

/**
 * Loads specs, and the sources that they import, into this process: compiled as by Jest, but to CommonJS, so that they can be loaded
 * repeatedly. Node itself loads installed packages, once.
 */
export class SpecModules {
  #root;
  #compilerOptions;
  #require;
  #compiled = new Map();
  #loaded = new Map();
  #globals;
  #around;

  /** `around` is called with the path of a module and a function that evaluates it, which it must call. */
  constructor(root, compilerOptions, around) {
    this.#root = root;
    this.#compilerOptions = {
      ...compilerOptions,
      module: { type: 'commonjs', importInterop: 'node' },
      sourceMaps: 'inline',
    };
    this.#around = around;
    this.#require = createRequire(join(root, 'package.json'));
  }

  /** Unloads all modules but keeps their compiled code: the top level of each module runs again. Specs get `globals` from Jest. */
  renew(globals) {
    this.#loaded.clear();
    this.#globals = globals;
  }

  /** Loads a spec again, with other `globals`, but not its imports. */
  reload(path, globals) {
    this.#loaded.delete(path);
    this.#globals = globals;
    this.load(path);
  }

  load(path) {
    const known = this.#loaded.get(path);
    if (known !== undefined) return known.exports;
    const module = { exports: {} };
    this.#loaded.set(path, module);
    const load = (name) => this.#import(name, path);
    const compiled = this.#compile(path);
    this.#around(path, () => compiled(module.exports, load, module, path, dirname(path)));
    return module.exports;
  }

  #import(name, from) {
    if (name === '@jest/globals') return this.#globals;
    const path = this.#sourceOf(name, from);
    return path === undefined ? this.#require(name) : this.load(path);
  }

  /** As `moduleNameMapper` in jest.config.js. */
  #sourceOf(name, from) {
    if (name.startsWith('.')) {
      const path = join(dirname(from), name.replace(/\.js$/, '.ts'));
      if (!existsSync(path)) throw new Error(`${from} imports ${name}, but ${path} does not exist.`);
      return path;
    }
    const [, lib, file = 'index'] = /^@millrace\/([^/]+)(?:\/([^/]+))?$/.exec(name) ?? [];
    return lib === undefined ? undefined : join(this.#root, 'libs', lib, 'src', `${file}.ts`);
  }

  #compile(path) {
    const known = this.#compiled.get(path);
    if (known !== undefined) return known;
    const { code } = transformSync(readFileSync(path, 'utf8'), { ...this.#compilerOptions, filename: path });
    const parameters = ['exports', 'require', 'module', '__filename', '__dirname'];
    const compiled = compileFunction(code, parameters, { filename: path });
    this.#compiled.set(path, compiled);
    return compiled;
  }
}
