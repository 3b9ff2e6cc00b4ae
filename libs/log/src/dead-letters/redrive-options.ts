import { assertNoProblem, boolean, integer, integerProblem, type Rate, rateOption, shown } from '@millrace/core';
import type { DeadLetterInfo } from './dead-letter-info.js';

/** Which dead letters to send back, and how. */
export interface RedriveOptions {
  /** The dead-letter topic. */
  readonly topic: string;
  /** Only these. Default: all that are in the topic now. */
  readonly records?: readonly { readonly partition: number; readonly offset: number }[] | undefined;
  /** Only those it returns true for. An error, or another answer than true or false, ends the redrive. Default: all. */
  readonly filter?: ((letter: DeadLetterInfo) => boolean) | undefined;
  /**
   * Topics that a letter may come from besides those that keep their dead letters in this topic, by their settings: name those whose group
   * has a `deadLetter` of its own. Anyone who can write into the topic of dead letters can name any topic. Default: none.
   */
  readonly allowTopics?: readonly string[] | undefined;
  /** Only says what would be sent. Default false. */
  readonly dryRun?: boolean | undefined;
  /** The most records in a time. Default: no limit. */
  readonly rate?: Rate | undefined;
  /**
   * So many a second.
   *
   * @deprecated `maxPerSecond: n` is `rate: { limit: n, intervalMs: 1000 }`.
   */
  readonly maxPerSecond?: number | undefined;
  /** A record that came back so often stays where it is. Default 3. */
  readonly maxRedrives?: number | undefined;
  /** Ends it early, also while it waits for its rate; what was sent is sent. */
  readonly signal?: AbortSignal | undefined;
}

/** Checks them as they may come from code without types. @throws {OptionsError} with every problem */
export function checkRedriveOptions(options: RedriveOptions): void {
  const { rate, maxPerSecond, maxRedrives, dryRun, records, filter, allowTopics } = options;
  const problems: string[] = [];
  const report = (problem: string): void => void problems.push(problem);
  rateOption(options)(rate, report, 'rate');
  integer(1, { min: 1 })(maxPerSecond, report, 'maxPerSecond');
  integer(3, { min: 1 })(maxRedrives, report, 'maxRedrives');
  boolean(false)(dryRun, report, 'dryRun');
  if (filter !== undefined && typeof filter !== 'function') report(`filter must be a function, got ${shown(filter)}`);
  if (allowTopics !== undefined && !Array.isArray(allowTopics))
    report(`allowTopics must be a list of names of topics, got ${shown(allowTopics)}`);
  assertNoProblem('redrive', ...problems, ...recordProblems(records));
}

function recordProblems(records: unknown): (string | undefined)[] {
  if (records === undefined) return [];
  if (!Array.isArray(records)) return [`records must be a list of { partition, offset }, got ${shown(records)}`];
  return records.map((record: unknown) => {
    if (typeof record === 'object' && record !== null && 'offset' in record)
      return integerProblem('offset', record.offset);
    return `a record must be { partition, offset }, got ${shown(record)}`;
  });
}
