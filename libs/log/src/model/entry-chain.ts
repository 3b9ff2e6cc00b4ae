/** The place in the log that an entry of a partition's stream claims. */
export interface EntryPlace {
  /** The log's end after the batch; its last record has the offset before. NaN: no append writes such an id. */
  readonly endOffset: number;
  /** A decimal number, unique per append. Undefined in an entry of an older version, or of another program. */
  readonly nonce: string | undefined;
  /** The nonce of the append before it. */
  readonly previousNonce: string | undefined;
}

/** What a reader knows of the log before an entry: its position, and which append ended there. */
export interface ReadSoFar {
  /** The next offset. */
  readonly position: number;
  /** Nonce of the append that ended at `position`. Undefined: unknown, or an older version wrote it, without a nonce. */
  readonly nonce: string | undefined;
  /** Whether the batch before was read, so that this one must begin where that one ended. */
  readonly isInside: boolean;
}

/**
 * Whether an entry of a partition's stream is the next batch of the log, judged by the entry alone: its id, its nonces and the number of
 * its records must match each other and what was read. If not, Redis is asked what it is (`explainEntry`).
 *
 * @param count the number of records in its frame; undefined: the frame cannot be read
 */
export function isNextBatch(entry: EntryPlace, count: number | undefined, before: ReadSoFar): boolean {
  const { endOffset, nonce, previousNonce } = entry;
  if (!Number.isSafeInteger(endOffset) || nonce === undefined || previousNonce === undefined) return false;
  if (before.nonce !== undefined && previousNonce !== before.nonce) return false;
  if (count === undefined) return false;
  const first = endOffset - count;
  return before.isInside ? first === before.position : first <= before.position;
}

/** What Redis has around an entry whose place is unknown. */
export interface ChainLook {
  /** The log's start and end: no append wrote what is past its end. */
  readonly start: number;
  readonly end: number;
  /** The end of the stream's first entry; undefined: no entry has an id of an append. */
  readonly first: number | undefined;
  /** The entry that ends at the reader's position; undefined: none does. */
  readonly before: { readonly nonce: string | undefined } | undefined;
  /** The end of the entry that names `before` as its predecessor; undefined: none was found. */
  readonly next: number | undefined;
  /**
   * Used where there are no nonces: the first entry past the position that has one, and where it begins by its frame; undefined: none was
   * found.
   */
  readonly marked?: { readonly first: number; readonly end: number } | undefined;
}

/** What an unexpected entry is. */
export type EntryFinding =
  /** Another program wrote it, past the log's end. */
  | { readonly kind: 'behind-end' }
  /** Entries up to this offset do not belong to the log. */
  | { readonly kind: 'foreign'; readonly upTo: number }
  /** It belongs to the log, whatever its frame claims; so do entries without nonces up to `logEnd`. */
  | { readonly kind: 'own'; readonly logEnd: number }
  /** Retention removed what was between. */
  | { readonly kind: 'gap'; readonly offset: number }
  /** The log was truncated below what was read, and other records have been appended since. */
  | { readonly kind: 'diverged' }
  /** It does not follow the entry before it, and no other does. */
  | { readonly kind: 'unexplained' };

/** What an entry is that `isNextBatch` did not recognise, given what Redis has. */
export function explainEntry(
  { endOffset, nonce }: EntryPlace,
  count: number | undefined,
  read: ReadSoFar,
  look: ChainLook,
): EntryFinding {
  const { position } = read;
  const { start, end, before } = look;
  const own = { kind: 'own', logEnd: end } as const;
  if (!Number.isSafeInteger(endOffset) || endOffset > end) return { kind: 'behind-end' };
  if (read.isInside && before?.nonce !== read.nonce) {
    if (before !== undefined || start < position) return { kind: 'diverged' };
    // The last batch read is gone, and the log begins after it.
    return start > position ? { kind: 'gap', offset: start } : own;
  }
  if (before?.nonce !== undefined) {
    if (look.next === undefined) return { kind: 'unexplained' };
    return look.next === endOffset ? own : { kind: 'foreign', upTo: look.next };
  }
  if (start > position) return { kind: 'gap', offset: start };
  // A batch of the log begins before this entry ends: it cannot belong to the log.
  const { marked } = look;
  if (nonce === undefined && marked !== undefined && marked.first < endOffset && marked.end > endOffset) {
    return { kind: 'foreign', upTo: marked.end };
  }
  // The stream was trimmed by hand; an entry with nonces has the correct start.
  const first = count === undefined ? position : endOffset - count;
  if (first > position && (look.first === endOffset || nonce !== undefined)) return { kind: 'gap', offset: first };
  return own;
}
