import type { Series } from './pulled-metrics.js';
import type { Roster } from './roster.js';

/** Counts by the value of one label, or without label under `''`. An addition costs one look-up. */
export class Tally {
  readonly #counts = new Map<string, number>();
  readonly #roster: Roster | undefined;

  /**
   * `zeros`: values that are reported from the start, so that the first event is an increase. `roster`: which others are counted by name.
   */
  constructor(zeros: readonly string[] = [], roster?: Roster) {
    for (const value of zeros) this.#counts.set(value, 0);
    this.#roster = roster;
  }

  add(value: string, count = 1): void {
    const counted = this.#counts.get(value);
    if (counted === undefined) this.#addNew(this.#roster?.nameOf(value) ?? value, count);
    else this.#counts.set(value, counted + count);
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

  #addNew(name: string, count: number): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + count);
  }
}

/** One tally per value of another label. */
export class TallyTable {
  readonly #rows = new Map<string, Tally>();
  readonly #zeros: readonly string[];
  readonly #roster: Roster | undefined;

  /** `zeros`: columns that every row has from its start. `roster`: which rows are counted by name. */
  constructor(zeros: readonly string[] = [], roster?: Roster) {
    this.#zeros = zeros;
    this.#roster = roster;
  }

  row(value: string): Tally {
    return this.#rows.get(value) ?? this.#newRow(this.#roster?.nameOf(value) ?? value);
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

  #newRow(name: string): Tally {
    const row = this.#rows.get(name) ?? new Tally(this.#zeros);
    this.#rows.set(name, row);
    return row;
  }
}
