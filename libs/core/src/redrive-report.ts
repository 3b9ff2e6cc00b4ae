/** What a redrive did with the dead letters of a topic or queue, or with `dryRun` would do: how many of each. */
export interface RedriveReport {
  /** Sent back. */
  readonly redriven: number;
  /** Left out because an earlier redrive sent them back. Always 0 for a queue, where what was sent back is removed. */
  readonly repeated: number;
  /** Left because they were sent back, or died, too many times (`maxRedrives`). */
  readonly looping: number;
  /** Left out by the filter. */
  readonly filtered: number;
  /** Left because they cannot be sent back: see `reasons`. */
  readonly stuck: number;
  /** Why the first hundred of `stuck` cannot be sent back. The id of a record is `<partition>:<offset>`. */
  readonly reasons: readonly { readonly id: string; readonly why: string }[];
  /**
   * The number of `stuck`.
   *
   * @deprecated use `stuck`
   */
  readonly impossible: number;
}

/** What happened to one dead letter; an object says why it is stuck. */
export type RedriveResult =
  | 'redriven'
  | 'repeated'
  | 'looping'
  | 'filtered'
  | { readonly id: string; readonly why: string };

const mostReasons = 100;

/** Counts what happens to the dead letters of a redrive. */
export class RedriveTally {
  readonly #counts = { redriven: 0, repeated: 0, looping: 0, filtered: 0, stuck: 0 };
  readonly #reasons: { readonly id: string; readonly why: string }[] = [];

  /** How many were sent back so far. */
  get redriven(): number {
    return this.#counts.redriven;
  }

  /** Counts `times` dead letters with the same result. */
  add(result: RedriveResult, times = 1): void {
    if (typeof result === 'string') {
      this.#counts[result] += times;
      return;
    }
    this.#counts.stuck++;
    if (this.#reasons.length < mostReasons) this.#reasons.push(result);
  }

  /** The numbers so far. */
  report(): RedriveReport {
    return { ...this.#counts, reasons: [...this.#reasons], impossible: this.#counts.stuck };
  }
}
