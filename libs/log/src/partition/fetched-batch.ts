import { CodecError } from '@millrace/core';
import { headProblem } from '../model/batch-compression.js';
import type { ReadSoFar } from '../model/entry-chain.js';
import type { RecordCursor } from '../model/record-cursor.js';
import type { HeldBatch, RecordTask } from './record-context.js';

/** A fetched batch; its records are only made when their turn comes. */
export interface FetchedBatch extends HeldBatch {
  readonly end: number;
  readonly frame: Buffer;
  readonly codecId: number;
  /** Of all its records, where it is not their own. */
  readonly timestamp: number | undefined;
  /** Its turn has come, and it may not be decoded yet: too much is. */
  isWaiting: boolean;
  /** Made when its first record's turn comes. */
  cursor: RecordCursor | undefined;
  /** Offset of the first record that was not looked at. */
  next: number;
  /** Records that were looked at; the first `taken` of them had their turn. */
  ahead: RecordTask[];
  taken: number;
  /** What cannot be read, from `next` on. */
  damage: { readonly error: unknown } | undefined;
}

/** Why a batch cannot be read that takes the log's place up to `endOffset`; undefined when it can, as far as its head says. */
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
    error: new CodecError(`record batch says that it has ${head.count} records, and has a place for ${places}`),
  };
}
