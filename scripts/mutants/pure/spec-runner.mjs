// The test runner for Stryker: runs the specs of pure code in one process without Jest. Loading them takes a second and a run a few
// milliseconds per test, so that thousands of faults can be tried; with Jest each fault would load its specs again.
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { libOf, specsOfPureCode } from './pure-files.mjs';
import { SpecModules } from './spec-modules.mjs';
import { SpecTests } from './spec-tests.mjs';

/** Stryker's `TestStatus`. */
const success = 0;
const failed = 1;

class SpecRunner {
  /** The state that instrumented sources read and write: the active fault, and which test reached which fault. */
  #context = {};
  #root = process.cwd();
  #expect;
  #modules;
  #tests;
  #tookMsById = new Map();
  /** Whether a fault was active while the specs were loaded. */
  #isFaulty = false;

  capabilities() {
    return { reloadEnvironment: true };
  }

  async init() {
    globalThis.__stryker__ = this.#context;
    const { default: config } = await import(pathToFileURL(join(this.#root, 'jest.config.js')).href);
    const [[, compilerOptions]] = Object.values(config.transform);
    this.#expect = createRequire(join(this.#root, 'package.json'))('expect').expect;
    this.#modules = new SpecModules(this.#root, compilerOptions, (...module) => this.#evaluate(...module));
  }

  async dryRun() {
    this.#load();
    const tests = [];
    for (const test of this.#tests) {
      const { id } = test;
      this.#context.currentTestId = id;
      const failureMessage = test.isLoad ? undefined : await this.#failureOf(test);
      const result = { id, name: id, timeSpentMs: this.#tookMs(test) };
      if (failureMessage === undefined) tests.push({ ...result, status: success });
      else tests.push({ ...result, status: failed, failureMessage });
    }
    this.#context.currentTestId = undefined;
    return { status: 'complete', tests, mutantCoverage: this.#context.mutantCoverage };
  }

  async mutantRun({ activeMutant, sandboxFileName, testFilter, hitLimit, reloadEnvironment }) {
    if (!reloadEnvironment) this.#loadWithoutFault();
    this.#activate(activeMutant.id, hitLimit);
    try {
      if (reloadEnvironment) this.#load();
    } catch (error) {
      return { status: 'killed', killedBy: [], failureMessage: String(error), nrOfTests: 0 };
    }
    const result = await this.#run(this.#testsFor(sandboxFileName, testFilter));
    this.#activate(undefined);
    return result;
  }

  #loadWithoutFault() {
    if (this.#tests !== undefined && !this.#isFaulty) return;
    this.#activate(undefined);
    this.#load();
  }

  #load() {
    this.#isFaulty = this.#context.activeMutant !== undefined;
    const specs = new SpecTests(this.#expect);
    this.#modules.renew(specs.globals);
    this.#tests = specsOfPureCode(this.#root).flatMap((file) => {
      const path = join(this.#root, file);
      const load = { id: loadIdOf(file), file, isLoad: true, run: () => this.#runAnew(file) };
      return [load, ...specs.collect(file, () => this.#modules.load(path))];
    });
  }

  /** Loading a spec counts as a test too, since it is not repeated for the other tests. */
  async #runAnew(file) {
    const specs = new SpecTests(this.#expect);
    const tests = specs.collect(file, () => this.#modules.reload(join(this.#root, file), specs.globals));
    for (const { run } of tests) await run();
  }

  #evaluate(path, evaluate) {
    const outer = this.#context.currentTestId;
    this.#context.currentTestId = path.endsWith('.spec.ts') ? loadIdOf(relative(this.#root, path)) : undefined;
    evaluate();
    this.#context.currentTestId = outer;
  }

  #activate(id, hitLimit) {
    this.#context.activeMutant = id;
    this.#context.hitLimit = hitLimit;
    this.#context.hitCount = hitLimit === undefined ? undefined : 0;
  }

  /** The specs of a lib must catch its faults, not those of libs that use it; the fastest tests come first. */
  #testsFor(sandboxFileName, testFilter) {
    const lib = libOf(relative(this.#root, sandboxFileName));
    const isMeant = ({ id, file }) => libOf(file) === lib && (testFilter?.includes(id) ?? true);
    return this.#tests.filter(isMeant).sort((a, b) => this.#tookMs(a) - this.#tookMs(b));
  }

  #tookMs({ id }) {
    return this.#tookMsById.get(id) ?? 0;
  }

  async #run(tests) {
    for (const [index, test] of tests.entries()) {
      const failureMessage = await this.#failureOf(test);
      if (this.#context.hitCount > this.#context.hitLimit) return { status: 'timeout', reason: 'endless loop' };
      if (failureMessage !== undefined)
        return { status: 'killed', killedBy: [test.id], failureMessage, nrOfTests: index + 1 };
    }
    return { status: 'survived', nrOfTests: tests.length };
  }

  async #failureOf({ id, run }) {
    const began = performance.now();
    try {
      await run();
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    } finally {
      this.#tookMsById.set(id, performance.now() - began);
    }
  }
}

function loadIdOf(file) {
  return `${file} is loaded`;
}

export const strykerPlugins = [{ kind: 'TestRunner', name: 'specs-of-pure-code', injectableClass: SpecRunner }];
