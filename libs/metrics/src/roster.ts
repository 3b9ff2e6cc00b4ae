/** What the series without a place in a roster are called together. */
export const others = '(other)';

/**
 * Which names have metric series of their own: the first `max` that ask, for as long as they are there. The rest share one series, so
 * that names which come and go with users cost neither this process nor Prometheus more and more memory.
 */
export class Roster {
  readonly #max: number;
  readonly #onFull: () => void;
  /** Names that asked since the last renewal. */
  #asked = new Set<string>();
  /** Names that asked before it and not since. */
  #kept = new Set<string>();
  #renewedFor: object | undefined;
  #isFull = false;

  /** `onFull` is called once, for the first name that finds no place. */
  constructor(max: number, onFull: () => void) {
    this.#max = max;
    this.#onFull = onFull;
  }

  /** The name itself where it has or gets a place, else `(other)`. */
  nameOf(name: string): string {
    if (name === others || this.#asked.has(name)) return name;
    if (this.#kept.delete(name) || this.#asked.size + this.#kept.size < this.#max) {
      this.#asked.add(name);
      return name;
    }
    if (!this.#isFull) {
      this.#isFull = true;
      this.#onFull();
    }
    return others;
  }

  /** Before the names of a new `look` at Redis ask: who did not ask at the look before gives up its place. */
  renew(look: object): void {
    if (this.#renewedFor === look) return;
    this.#renewedFor = look;
    this.#kept = this.#asked;
    this.#asked = new Set();
  }

  names(): readonly string[] {
    return [...this.#kept, ...this.#asked];
  }

  forget(name: string): void {
    this.#kept.delete(name);
    this.#asked.delete(name);
  }
}

/** A roster for each set of labels: metrics with the same labels name the same. */
export class Rosters {
  readonly #max: number;
  readonly #warn: (text: string) => void;
  readonly #rosters = new Map<string, Roster>();

  /** `warn` is told once of each set of labels of which there are more than `max`. */
  constructor(max: number, warn: (text: string) => void) {
    this.#max = max;
    this.#warn = warn;
  }

  of(labelNames: readonly string[]): Roster {
    const labels = labelNames.join(', ');
    let roster = this.#rosters.get(labels);
    if (roster === undefined) {
      const what = `metrics: there are more than ${this.#max} series by ${labels}; the rest is reported as one, "${others}".`;
      roster = new Roster(this.#max, () => this.#warn(`${what} Raise maxSeries, or measure less.`));
      this.#rosters.set(labels, roster);
    }
    return roster;
  }
}
