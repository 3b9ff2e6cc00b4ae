import type { CodecRegistry } from '@millrace/core';
import { readKeptResult } from './model/completion.js';
import { countDeliveries, type Deliveries, readDeliveries } from './model/deliveries.js';
import { QueuedMessage } from './queued-message.js';
import type { FoundCompleted } from './store/completed-messages.js';

/** A message that was handled, as its queue keeps it (`keepCompleted`). */
export class CompletedMessage<T = unknown, R = unknown> extends QueuedMessage<T> {
  /** When Redis stored its completion, in ms since 1970 by Redis' clock. */
  readonly completedAt: number;
  /**
   * When its last handler began, in ms since 1970 by Redis' clock, give or take the time of a command; undefined when its consumer
   * did not know yet that the queue keeps completed messages.
   */
  readonly startedAt: number | undefined;
  /** What its handler returned, up to 16 KiB as JSON. */
  readonly result: R | undefined;
  /** How many bytes the result had as JSON, when that was too large to be kept. */
  readonly omittedResultBytes: number | undefined;
  readonly #deliveries: Deliveries;

  /** @throws {CodecError} its frame cannot be read */
  constructor(queue: string, found: FoundCompleted, codecs: CodecRegistry) {
    super(queue, found.entry, found.frame, codecs);
    const { result, omittedResultBytes } = readKeptResult(found.result);
    this.completedAt = found.completedAt;
    this.startedAt = found.startedAt;
    this.result = result as R | undefined;
    this.omittedResultBytes = omittedResultBytes;
    this.#deliveries = readDeliveries(found.deliveries);
  }

  /** The attempt that completed it: one more than failed. */
  get attempt(): number {
    return this.#deliveries.failures + 1;
  }

  /** How many times it was delivered before that attempt, however those deliveries ended. */
  get deliveryCount(): number {
    return countDeliveries(this.#deliveries);
  }
}

/** One page of completed messages, and where the next one begins. */
export interface CompletedMessagePage<T = unknown, R = unknown> {
  /** The newest first; of a sharded queue those of one shard. */
  readonly messages: readonly CompletedMessage<T, R>[];
  /** Undefined after the last page. */
  readonly cursor: string | undefined;
}
