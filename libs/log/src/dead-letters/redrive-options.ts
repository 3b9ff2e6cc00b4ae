import { assertNoProblem, boolean, integer, integerProblem, type Rate, rateOption, shown } from '@millrace/core';
import type { DeadLetterInfo } from './dead-letter-info.js';

/** Which dead letters to send back, and how. */
export interface RedriveOptions {
  /** The dead-letter topic. */
  readonly topic: string;
  /** Only these dead letters. Default: all that are in the topic now. */
  readonly records?: readonly { readonly partition: number; readonly offset: number }[] | undefined;
  /** Only those for which it returns true. An error, or a result other than true or false, ends the redrive. Default: all. */
  readonly filter?: ((letter: DeadLetterInfo) => boolean) | undefined;
  /**
   * Further topics that a letter may come from, besides those whose settings name this topic for their dead letters. Needed for a group
   * with a `deadLetter` of its own. Anyone who can write to the dead-letter topic can name any topic in a letter. Default: none.
   */
  readonly allowTopics?: readonly string[] | undefined;
  /** Only reports what would be sent. Default false. */
  readonly dryRun?: boolean | undefined;
  /** The highest rate of records. Default: no limit. */
  readonly rate?: Rate | undefined;
  /**
   * Records per second.
   *
   * @deprecated `maxPerSecond: n` is `rate: { limit: n, intervalMs: 1000 }`.
   */
  readonly maxPerSecond?: number | undefined;
  /** A record that was sent back this many times stays where it is. Default 3. */
  readonly maxRedrives?: number | undefined;
  /** Ends the redrive early, also while it waits for its rate. What was sent stays sent. */
  readonly signal?: AbortSignal | undefined;
}

/** Checks the options, which may come from untyped code. @throws {OptionsError} with every problem */
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
    report(`allowTopics must be a list of topic names, got ${shown(allowTopics)}`);
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
