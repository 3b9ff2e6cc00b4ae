/** What an entry of a partition's stream says of its place in the log. */
export interface EntryPlace {
  /** The log's end after the batch; its last record has the offset before. NaN: its id is none that an append gives. */
  readonly endOffset: number;
  /** A number in decimal. Tells its append from any other; undefined in what an older version wrote, or something else than Millrace. */
  readonly nonce: string | undefined;
  /** The nonce of the append before it. */
  readonly previousNonce: string | undefined;
}

/** What a reader knows of the log before an entry: where it is, and which append ended there. */
export interface ReadSoFar {
  /** The next offset. */
  readonly position: number;
  /** Of the append that ended at `position`. Undefined: not known, or an older version wrote it, without one. */
  readonly nonce: string | undefined;
  /** Whether the batch before was read, so that this one has to begin where that one ended. */
  readonly isInside: boolean;
}

/**
 * Whether an entry of a partition's stream is, by all that it says, the next batch of the log: its id, its nonces, and the number of its
 * records fit each other and what was read. Else Redis is asked what it is (`explainEntry`).
 *
 * @param count how many records its frame says that it has; undefined: the frame cannot be read
 */
export function isNextBatch(entry: EntryPlace, count: number | undefined, before: ReadSoFar): boolean {
  const { endOffset, nonce, previousNonce } = entry;
  if (!Number.isSafeInteger(endOffset) || nonce === undefined || previousNonce === undefined) return false;
  if (before.nonce !== undefined && previousNonce !== before.nonce) return false;
  if (count === undefined) return false;
  const first = endOffset - count;
  return before.isInside ? first === before.position : first <= before.position;
}

/** What Redis says of a partition where an entry is in doubt. */
export interface ChainLook {
  /** Where the log begins and ends: what stands behind its end no append has written. */
  readonly start: number;
  readonly end: number;
  /** The end of the stream's first entry; undefined: it has none with an id of ours. */
  readonly first: number | undefined;
  /** The entry that ends at the reader's position; undefined: there is none. */
  readonly before: { readonly nonce: string | undefined } | undefined;
  /** The end of the entry that says of itself that it follows `before`; undefined: none was found. */
  readonly next: number | undefined;
  /**
   * Where there is no nonce to go by: the first entry behind the position that has one, and where it begins by its frame; undefined: none was
   * found.
   */
  readonly marked?: { readonly first: number; readonly end: number } | undefined;
}

/** What an entry is that was not what comes next. */
export type EntryFinding =
  /** Something else than Millrace wrote it, behind the log's end. */
  | { readonly kind: 'behind-end' }
  /** Entries up to before this offset are none of the log's. */
  | { readonly kind: 'foreign'; readonly upTo: number }
  /** It is the log's, whatever its frame says; and so is what lacks nonces up to `logEnd`. */
  | { readonly kind: 'own'; readonly logEnd: number }
  /** Retention removed what was between. */
  | { readonly kind: 'gap'; readonly offset: number }
  /** The log lost what was read, and has grown another end. */
  | { readonly kind: 'diverged' }
  /** It does not follow what is before it, and nothing else does. */
  | { readonly kind: 'unexplained' };

/** What an entry is that `isNextBatch` did not recognise, after a look at Redis. */
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
    // What was read last is gone, and the log begins behind it.
    return start > position ? { kind: 'gap', offset: start } : own;
  }
  if (before?.nonce !== undefined) {
    if (look.next === undefined) return { kind: 'unexplained' };
    return look.next === endOffset ? own : { kind: 'foreign', upTo: look.next };
  }
  if (start > position) return { kind: 'gap', offset: start };
  // What an append wrote begins before this one ends: it leaves no place for it.
  const { marked } = look;
  if (nonce === undefined && marked !== undefined && marked.first < endOffset && marked.end > endOffset) {
    return { kind: 'foreign', upTo: marked.end };
  }
  // Somebody trimmed the stream by hand; and what has nonces says truly where it begins.
  const first = count === undefined ? position : endOffset - count;
  if (first > position && (look.first === endOffset || nonce !== undefined)) return { kind: 'gap', offset: first };
  return own;
}
