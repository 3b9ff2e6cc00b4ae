import type { Delivery } from './delivery-ledger.js';
import type { Place } from './place.js';
import type { Target } from './verdict.js';

/** Everything that must be the same for two numbers to be comparable. */
export type Settings = Readonly<Record<string, string | number>>;

/** What one child process measured: one value for each result of its scenario. */
export interface Sample {
  readonly values: Readonly<Record<string, number>>;
  /** What was really used, read from the payload, the pump and the server: compared between subjects. */
  readonly settings: Settings;
  /** How much was measured. Not compared: a fast subject handles more in the same time. */
  readonly messages: number;
  readonly seconds: number;
  /** What became of every message that was sent; null when none was. */
  readonly delivery: Delivery | null;
  /** What a number cannot say of a result. */
  readonly notes?: Readonly<Record<string, string>>;
}

/** One number that a scenario gives. */
export interface Result {
  /** As in the table and in `--only`: `queue.publish.awaited`. */
  readonly name: string;
  readonly unit: string;
  /** Which way is better. */
  readonly better: 'more' | 'less';
  /** What we hold ourselves to: ours divided by the subject's, `ceiling` included. */
  readonly targets?: Readonly<Record<string, Target>>;
}

/** Measures one subject once, in a process of its own, on a fresh server. */
export type Measure = (place: Place) => Promise<Sample>;

/**
 * Something that users do, done by Millrace and by what they would pick instead.
 * A scenario is one file in `scenarios/`, listed in `scenarios.ts`.
 */
export interface Scenario {
  /** First part of the names of its results. */
  readonly name: string;
  readonly results: readonly Result[];
  /** One sentence for the page: what is done, and what counts. */
  readonly what: string;
  /** `millrace` is ours; `ceiling` is the least code that could do the same; all others are peers. */
  readonly subjects: Readonly<Record<string, Measure>>;
  /** Subjects that take too long for a quick run. */
  readonly notWhenQuick?: readonly string[];
}
