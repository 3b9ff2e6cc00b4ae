import { type Headers, shown } from '@millrace/core';
import { DeliveryContext } from '@millrace/delivery';
import { givenUp } from './fence.js';
import type { RecordTask } from './record-task.js';

/** One record of a batch. */
export interface BatchRecord<T = unknown> {
  /** Decoded and, where there is a schema, validated. */
  readonly payload: T;
  /** Its place in the partition, from 0. */
  readonly offset: number;
  /** Undefined for a record that was sent without one. */
  readonly key: string | undefined;
  /** The headers it was sent with. */
  readonly headers: Headers;
  /** When the event happened, in ms since 1970, by its producer's clock. */
  readonly timestamp: number;
  /** The attempt number for this record, from 1. */
  readonly attempt: number;
}

/** One attempt to handle several records of one partition together. */
export class BatchContext extends DeliveryContext {
  /** The highest attempt of its records. */
  readonly attempt: number;
  /** The topic of all its records. */
  readonly topic: string;
  /** The partition's number, from 0. */
  readonly partition: number;
  /** The group it is handled for. */
  readonly group: string;
  readonly #first: RecordTask;
  readonly #tasks: readonly RecordTask[];
  readonly #failures = new Map<number, unknown>();
  #offsets: ReadonlySet<number> | undefined;

  constructor(tasks: readonly [RecordTask, ...RecordTask[]]) {
    super();
    const [first] = tasks;
    this.topic = first.topic;
    this.partition = first.partition;
    this.group = first.group;
    this.#first = first;
    this.attempt = Math.max(...tasks.map((task) => task.attempt));
    this.#tasks = tasks;
  }

  /** A fencing token: see `RecordContext.epoch`. */
  get epoch(): number {
    return this.#first.epoch;
  }

  /**
   * Marks one record as failed; the others count as handled. `error` may be a RetryLater, DeadLetter or Drop,
   * as if a handler of single records had thrown it.
   *
   * @throws {TypeError} `record` is not in this batch; the intended one would count as handled
   */
  fail(record: Pick<BatchRecord, 'offset'>, error: unknown): void {
    this.#offsets ??= new Set(this.#tasks.map(({ offset }) => offset));
    if (!this.#offsets.has(record?.offset)) {
      throw new TypeError(`fail() takes one of ${this.describe()}, got ${placeOf(record)}.`);
    }
    this.#failures.set(record.offset, error);
  }

  /** Whether a record was marked as failed, and why. */
  failureOf(offset: number): { readonly error: unknown } | undefined {
    return this.#failures.has(offset) ? { error: this.#failures.get(offset) } : undefined;
  }

  /** Marks every record of the batch as done and commits; see `RecordContext.commit`. @throws {LeaseLostError} */
  async commit(): Promise<void> {
    if (this.isGivenUp) throw givenUp(this);
    await Promise.all(this.#tasks.map((task) => task.commit()));
  }

  describe(): string {
    const last = this.#tasks.at(-1);
    return `records ${this.#first.offset}–${last?.offset} of topic "${this.topic}", partition ${this.partition}`;
  }
}

function placeOf(record: unknown): string {
  return typeof record === 'object' && record !== null && 'offset' in record
    ? `offset ${shown(record.offset)}`
    : shown(record);
}
