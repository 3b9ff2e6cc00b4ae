/** The largest number of names of skipped tests that is printed. */
const maxNames = 60;

/** How many tests passed, failed and were skipped, and which files were unsteady. */
export class Sum {
  passed = 0;
  failed = 0;
  /** No file matches the arguments. */
  isEmpty = false;
  #skipped = [];
  #unsteady = [];

  add({ passed, failed, skipped }) {
    this.passed += passed;
    this.failed += failed;
    this.#skipped.push(...skipped);
    return this;
  }

  /** A failure outside of tests counts as one failed test. */
  addFailure() {
    this.failed++;
    return this;
  }

  addStuck() {
    console.error('A test left a handle open: Jest had its results and did not end. Find it with --detectOpenHandles.');
    return this.addFailure();
  }

  addUnsteady(name) {
    this.#unsteady.push(name);
    return this;
  }

  addSum(other) {
    this.passed += other.passed;
    this.failed += other.failed;
    this.isEmpty ||= other.isEmpty;
    this.#skipped.push(...other.#skipped);
    this.#unsteady.push(...other.#unsteady);
    return this;
  }

  get isGood() {
    return this.failed === 0 && !this.isEmpty;
  }

  /** Prints the skipped tests, by name, and the unsteady files. */
  printNames() {
    for (const name of this.#skipped.slice(0, maxNames)) console.log(`Skipped: ${name}`);
    if (this.#skipped.length > maxNames) console.log(`Skipped: ${this.#skipped.length - maxNames} more`);
    const files = [...new Set(this.#unsteady)];
    if (files.length > 0)
      console.log(`${files.length} unsteady (failed in the full run, passed five times alone): ${files.join(', ')}`);
    else console.log('0 unsteady');
  }

  toString() {
    const skipped = this.#skipped.length > 0 ? `, ${this.#skipped.length} skipped` : '';
    return `${this.passed} passed, ${this.failed} failed${skipped}`;
  }
}
