/**
 * What follows, in other slots, from the ending of a message: its kind, a space, and the data of that kind. The script that ends the
 * message writes the line into its queue, where it stays until it has been carried out.
 */
export interface Line {
  /** The message's name in its queue. */
  readonly entry: string;
  /** Its number among the queue's endings, as Redis writes it: a higher one ended later, or was refused and put at the end. */
  readonly number: string;
  readonly kind: string;
  readonly data: string;
  /** The message as it ended; undefined when it is gone. */
  readonly frame: Buffer | undefined;
}

/** The kinds of follow-ups. */
export type FollowUpKind = 'dead-letter';

export function lineOf(kind: FollowUpKind, data: string): string {
  return `${kind} ${data}`;
}

/** A line's kind and data. Bytes that are not a line have the kind ''. */
export function parseLine(line: string): { readonly kind: string; readonly data: string } {
  const [, kind = '', data = ''] = /^([a-z-]+) (.*)$/s.exec(line) ?? [];
  return { kind, data };
}
