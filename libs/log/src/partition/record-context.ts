import type { Headers } from '@millrace/core';
import { DeliveryContext } from '@millrace/delivery';

/** One attempt to handle one record, as its handler sees it. */
export abstract class RecordContext extends DeliveryContext {
  /** The topic it was sent to. */
  abstract readonly topic: string;
  /** The partition's number, from 0. */
  abstract readonly partition: number;
  /** Its place in the partition, from 0. */
  abstract readonly offset: number;
  /** Undefined for a record that was sent without one. */
  abstract readonly key: string | undefined;
  /** The headers it was sent with. */
  abstract readonly headers: Headers;
  /** When the event happened, in ms since 1970, by its producer's clock; with `timestamps: 'append'` when it was appended. */
  abstract readonly timestamp: number;
  /** The group it is handled for. */
  abstract readonly group: string;
  /**
   * A fencing token: grows with each change of the partition's owner, and when an attempt is given up whose handler still runs
   * (`abortGraceMs`). Pass it to the systems you write to, and let them reject lower ones of the same key.
   */
  abstract readonly epoch: number;

  /**
   * Marks the record as done and commits. Resolves when Redis has it, batched with other commits of the same turn of the event loop. With
   * `commit: 'manual'` it is the only way to complete a record; it may be called after the handler has returned.
   *
   * @throws {LeaseLostError} another member owns the partition, or the attempt was given up
   */
  abstract commit(): Promise<void>;

  describe(): string {
    return `record ${this.offset} of topic "${this.topic}", partition ${this.partition}`;
  }
}
