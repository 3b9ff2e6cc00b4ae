/** The label of all series without a place in a roster. */
export const others = '(other)';

/**
 * Which names have their own metric series: the first `max` that ask, for as long as they exist. The rest share one series, so that names
 * which come and go with users do not grow the memory of this process or Prometheus without bound.
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

  /** `onFull` is called once, for the first name without a place. */
  constructor(max: number, onFull: () => void) {
    this.#max = max;
    this.#onFull = onFull;
  }

  /** Returns the name if it has or gets a place, else `(other)`. */
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

  /** Call it before the names of a new `look` at Redis: names that were missing in the previous look lose their place. */
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

/** One roster per set of labels: metrics with the same labels share their names. */
export class Rosters {
  readonly #max: number;
  readonly #warn: (text: string) => void;
  readonly #rosters = new Map<string, Roster>();

  /** `warn` is called once per set of labels with more than `max` series. */
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
