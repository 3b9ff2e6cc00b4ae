/**
 * What follows, in other slots, from the ending of a message: its kind, a space, and what that kind has to know. One line
 * stands in its queue from the script that ended the message until it has been carried there.
 */
export interface Line {
  /** The message's name in its queue. */
  readonly entry: string;
  /** Its place among the queue's endings, as Redis writes it: a higher one ended later, or was refused and put at the end. */
  readonly number: string;
  readonly kind: string;
  readonly data: string;
  /** The message as it ended; undefined where it is gone. */
  readonly frame: Buffer | undefined;
}

/** What a line is followed by. */
export type FollowUpKind = 'dead-letter';

export function lineOf(kind: FollowUpKind, data: string): string {
  return `${kind} ${data}`;
}

/** A line's kind and data. Bytes that are no line of ours have the kind ''. */
export function parseLine(line: string): { readonly kind: string; readonly data: string } {
  const [, kind = '', data = ''] = /^([a-z-]+) (.*)$/s.exec(line) ?? [];
  return { kind, data };
}
