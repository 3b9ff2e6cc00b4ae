import { CodecError } from '@millrace/core';
import { headProblem } from '../model/batch-compression.js';
import type { ReadSoFar } from '../model/entry-chain.js';
import type { RecordCursor } from '../model/record-cursor.js';
import type { BufferedBatch, RecordTask } from './record-task.js';

/** A fetched batch; its records are only decoded when their turn comes. */
export interface FetchedBatch extends BufferedBatch {
  readonly end: number;
  readonly frame: Buffer;
  readonly codecId: number;
  /** Timestamp of all its records, unless each has its own. */
  readonly timestamp: number | undefined;
  /** Its turn has come, but it may not be decoded yet: too many batches are. */
  isWaiting: boolean;
  /** Created when its first record's turn comes. */
  cursor: RecordCursor | undefined;
  /** Offset of the first record that was not looked at. */
  next: number;
  /** Records that were looked at; the first `taken` of them were returned by `pull`. */
  ahead: RecordTask[];
  taken: number;
  /** Why the batch cannot be read, from `next` on. */
  damage: { readonly error: unknown } | undefined;
}

/** Why a batch that occupies the log up to `endOffset` cannot be read; undefined when it can, as far as its head shows. */
export function damageOf(
  frame: Buffer,
  head: { readonly count: number } | undefined,
  { position, isInside }: ReadSoFar,
  endOffset: number,
): FetchedBatch['damage'] {
  if (head === undefined) return { error: headProblem(frame) };
  const places = endOffset - position;
  if (isInside ? head.count === places : head.count >= places) return undefined;
  return {
    error: new CodecError(`record batch claims ${head.count} records, but occupies ${places} offsets`),
  };
}
