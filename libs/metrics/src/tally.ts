import type { Series } from './pulled-metrics.js';

/** Counts by the value of one label, or without label under `''`. Adding costs one look-up. */
export class Tally {
  readonly #counts = new Map<string, number>();

  /** `zeros`: values that are reported from the start, so that the first event is seen as a rise. */
  constructor(zeros: readonly string[] = []) {
    for (const value of zeros) this.#counts.set(value, 0);
  }

  add(value: string, count = 1): void {
    this.#counts.set(value, (this.#counts.get(value) ?? 0) + count);
  }

  names(): readonly string[] {
    return [...this.#counts.keys()];
  }

  forget(value: string): void {
    this.#counts.delete(value);
  }

  series(labels: (value: string) => Series['labels']): Series[] {
    return [...this.#counts].map(([value, count]) => ({ labels: labels(value), value: count }));
  }
}

/** A tally for each value of another label. */
export class TallyTable {
  readonly #rows = new Map<string, Tally>();
  readonly #zeros: readonly string[];

  /** `zeros`: columns that every row has from its start. */
  constructor(zeros: readonly string[] = []) {
    this.#zeros = zeros;
  }

  row(value: string): Tally {
    let row = this.#rows.get(value);
    if (row === undefined) {
      row = new Tally(this.#zeros);
      this.#rows.set(value, row);
    }
    return row;
  }

  names(): readonly string[] {
    return [...this.#rows.keys()];
  }

  forget(value: string): void {
    this.#rows.delete(value);
  }

  series(labels: (row: string, value: string) => Series['labels']): Series[] {
    return [...this.#rows].flatMap(([name, row]) => row.series((value) => labels(name, value)));
  }
}
