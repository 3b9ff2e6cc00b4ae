import { OptionsError, shown } from '@millrace/core';

/** Which messages of a list to read. */
export interface PageRange {
  /** The queue's name. */
  readonly queue: string;
  readonly limit: number;
  /** The cursor of the previous page; undefined: the beginning. */
  readonly cursor: string | undefined;
}

/** A time or a number of Redis, as it is written in a cursor. */
const number = String.raw`-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|inf|Infinity)`;

/** The cursors of all kinds of lists; the groups are their parts. */
export const cursorForms = {
  /** Number of the shard, and the cursor in it, which may be ''. */
  sharded: /^(\d{1,3})\|(.*)$/s,
  /** Time of the last message seen. */
  completed: new RegExp(`^(${number})$`),
  /** Time of the last message seen, and the messages seen that have this time. */
  byTime: new RegExp(`^(${number}) (.*)$`, 's'),
  /** Number of the list, place in it, and the last message seen; list 0 has offers, whose place is their number. */
  ready: new RegExp(String.raw`^(?=0 |\d+ \d{1,10} )(\d{1,2}) (${number}) (.*)$`, 's'),
};

/**
 * The parts of a cursor; undefined at the beginning of the list.
 *
 * @throws {OptionsError} it is not a cursor of such a list
 */
export function cursorParts({ queue, cursor }: PageRange, form: keyof typeof cursorForms): string[] | undefined {
  if (cursor === undefined) return undefined;
  const found = cursorForms[form].exec(cursor);
  if (found !== null) return found.slice(1);
  const problem = `cursor must be that of the page before it, of the same list, got ${shown(cursor)}`;
  throw new OptionsError(`page of queue "${queue}"`, [problem]);
}
