import { format } from 'node:util';

/**
 * The replacement of `@jest/globals` for specs: collects their tests while they are loaded, each with its hooks. It has only the
 * functions of Jest that the specs of pure code use: a spec that uses another one cannot be loaded.
 */
export class SpecTests {
  #tests = [];
  #suite = { file: '', name: '', before: [], after: [] };
  #ids = new Set();

  constructor(expect) {
    const it = (name, run) => this.#add(name, run);
    it.each = eachOf(it);
    const describe = (name, body) => this.#describe(name, body);
    describe.each = eachOf(describe);
    const beforeEach = (hook) => this.#suite.before.push(hook);
    const afterEach = (hook) => this.#suite.after.unshift(hook);
    this.globals = { it, test: it, describe, beforeEach, afterEach, expect };
  }

  /** The tests that `load` declares: `{ id, file, run }`. */
  collect(file, load) {
    const first = this.#tests.length;
    this.#suite = { file, name: file, before: [], after: [] };
    load();
    return this.#tests.slice(first);
  }

  #describe(name, body) {
    const outer = this.#suite;
    this.#suite = { ...outer, name: `${outer.name} ${name}`, before: [...outer.before], after: [...outer.after] };
    body();
    this.#suite = outer;
  }

  #add(name, run) {
    const suite = this.#suite;
    let id = `${suite.name} ${name}`;
    while (this.#ids.has(id)) id += "'";
    this.#ids.add(id);
    this.#tests.push({
      id,
      file: suite.file,
      run: async () => {
        for (const hook of suite.before) await hook();
        try {
          await run();
        } finally {
          for (const hook of suite.after) await hook();
        }
      },
    });
  }
}

/** A row that is an array is spread over the arguments, as Jest does; the name takes `%s` and the like, or `$property`. */
function eachOf(declare) {
  return (rows) => (name, run) => {
    for (const row of rows) {
      const values = Array.isArray(row) ? row : [row];
      const shown = values.slice(0, name.match(/%[a-z]/g)?.length ?? 0);
      declare(format(name, ...shown), () => run(...values));
    }
  };
}
