import { brand, type MillraceError, WriteError, type WriteFailure } from '@millrace/core';
import type { RecordMetadata } from '../model/record.js';
import type { Topic } from '../model/topic.js';

/** A record that can be added to a batch: checked, and its value encoded. */
export interface PreparedRecord {
  readonly topic: Topic;
  /** Explicit, or by the key; undefined: any. */
  readonly partition: number | undefined;
  readonly key: string | undefined;
  readonly headers: Readonly<Record<string, string | number | boolean | null>> | undefined;
  readonly timestamp: number;
  /** Its size for limits and the buffer. */
  readonly bytes: number;
  readonly valueBytes: number;
  readonly value: Uint8Array | string;
  readonly pending: PendingSend;
  /** Its index in the call that sent it. */
  readonly index: number;
}

/** Some records of a `sendBatch` were not confirmed. `results` has the outcome of each, in the given order. */
export class BatchWriteError extends WriteError {
  /** One entry per record, in the given order: where it was written, or why it was not confirmed. */
  readonly results: readonly (RecordMetadata | MillraceError)[];

  constructor(first: MillraceError, results: readonly (RecordMetadata | MillraceError)[]) {
    const failed = results.filter((result) => result instanceof Error);
    const failure: WriteFailure = first instanceof WriteError ? first.failure : 'rejected';
    const mayBeWritten =
      failed.length < results.length || failed.some((error) => error instanceof WriteError && error.mayBeWritten);
    super(`${failed.length} of ${results.length} records were not confirmed. The first: ${first.message}`, {
      failure,
      mayBeWritten,
      cause: first,
    });
    this.results = results;
  }
}

brand({ BatchWriteError });

/** The records of one call, and the caller that waits for their results. Notified once per record. */
export class PendingSend {
  /** Whether the caller gave a list: errors then name the record. */
  readonly isBatch: boolean;
  readonly #results: (RecordMetadata | MillraceError)[];
  readonly #resolve: (results: RecordMetadata[]) => void;
  readonly #reject: (error: MillraceError) => void;
  #missing: number;
  #firstError: MillraceError | undefined;

  constructor(
    { count, isBatch }: { readonly count: number; readonly isBatch: boolean },
    resolve: (results: RecordMetadata[]) => void,
    reject: (error: MillraceError) => void,
  ) {
    this.isBatch = isBatch;
    this.#results = new Array(count);
    this.#missing = count;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** The record is in the log. */
  confirm(index: number, metadata: RecordMetadata): void {
    this.#results[index] = metadata;
    if (--this.#missing === 0) this.#end();
  }

  /** The record is not confirmed, and will not be. */
  fail(index: number, error: MillraceError): void {
    this.#results[index] = error;
    this.#firstError ??= error;
    if (--this.#missing === 0) this.#end();
  }

  #end(): void {
    if (this.#firstError === undefined) this.#resolve(this.#results as RecordMetadata[]);
    else if (this.#results.length === 1) this.#reject(this.#firstError);
    else this.#reject(new BatchWriteError(this.#firstError, this.#results));
  }
}
