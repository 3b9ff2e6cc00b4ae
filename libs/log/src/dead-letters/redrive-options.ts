import {
  abortSignal,
  boolean,
  custom,
  integer,
  nameList,
  type OptionReader,
  optional,
  type Rate,
  rateOption,
  resolveOptions,
  shown,
  topicNameProblem,
} from '@millrace/core';
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

/** The options of a redrive with their defaults. @throws {OptionsError} with every problem */
export function checkedRedrive(
  options: RedriveOptions,
): RedriveOptions & { readonly maxRedrives: number; readonly dryRun: boolean } {
  return resolveOptions(
    'redrive',
    {
      topic: topicName,
      records: optional(recordList),
      filter: optional(
        custom(
          () => true,
          'a function',
          (value): value is () => boolean => typeof value === 'function',
        ),
      ),
      allowTopics: optional(nameList('topic')),
      dryRun: boolean(false),
      rate: rateOption(options),
      maxPerSecond: optional(integer(1, { min: 1 })),
      maxRedrives: integer(3, { min: 1 }),
      signal: abortSignal(),
    },
    options,
  );
}

const topicName: OptionReader<string> = (value, report) => {
  const problem = topicNameProblem(value);
  if (problem !== undefined) report(problem);
  return String(value);
};

type Records = NonNullable<RedriveOptions['records']>;

/** A dead letter that was read is a record too: what else it holds is left out. */
const recordList: OptionReader<Records> = (value, report, path) => {
  if (!Array.isArray(value)) {
    report(`${path} must be a list of { partition, offset }, got ${shown(value)}`);
    return [];
  }
  return value.map((record: unknown) => {
    const { partition, offset }: Partial<Records[number]> = typeof record === 'object' && record !== null ? record : {};
    if (partition === undefined || offset === undefined)
      report(`a record must be { partition, offset }, got ${shown(record)}`);
    return {
      partition: integer(0)(partition, report, `${path}: partition`),
      offset: integer(0)(offset, report, `${path}: offset`),
    };
  });
};
