import type { Codec, Headers } from '@millrace/core';
import { type AttemptState, afterCommit, afterOutcome, isCommitted } from '../model/attempt-state.js';
import type { DeadLetterCause } from '../model/dead-letter.js';
import type { StoredRecord } from '../model/record.js';
import { RecordContext } from './record-context.js';
import { readsText, type ValueRun } from './value-run.js';

/** One owner's tenure of one partition: what all its records share. */
export interface RecordSource {
  readonly topic: string;
  readonly partition: number;
  readonly group: string;
  /** A fencing token for what handlers write elsewhere: see `RecordContext.epoch`. */
  readonly epoch: number;
  /** Marks a record as done; resolves when that is stored. */
  commit(task: RecordTask): Promise<void>;
}

/** A batch of the log that stays in memory until its records are handled. */
export interface BufferedBatch {
  readonly codecId: number;
  /** The memory it takes: its frame, and the decoded body. */
  bytes: number;
  /** Unique per append. */
  readonly nonce: string | undefined;
  /** The number of records that still need the batch's bytes. */
  live: number;
}

/** A record, and where its value is. */
interface EncodedRecord extends Omit<StoredRecord, 'value'> {
  readonly body: Buffer;
  readonly start: number;
  readonly end: number;
}

/**
 * One attempt at a record, with the worker's state for it besides what the handler sees. Its fields are grouped by what changes them:
 * what is decided (`AttemptState` has the diagram), its place among the other tasks, and where its value is. They are no objects of
 * their own: a consumer makes a task per record, and one for what only few records have made a worker 1.5 % slower (2.5 µs per record,
 * 60 alternating pairs).
 */
export class RecordTask extends RecordContext {
  readonly source: RecordSource;
  readonly attempt: number;
  readonly offset: number;
  readonly key: string | undefined;
  readonly headers: Headers;
  readonly timestamp: number;
  readonly codecId: number;
  /** Identifies the append that wrote it. */
  nonce: string | undefined;
  #state: AttemptState = 'undecided';

  // What only few records have.
  /** Set when the record is given up and only its dead letter still has to be written. */
  deadLetter: DeadLetterCause | undefined = undefined;
  /** Later than `offset` when it stands for several records whose batch cannot be read. */
  lastOffset: number;
  /** Deliveries that ended without an outcome: the lease expired, or the owner ended. */
  returns = 0;
  /** Set when its attempt is given up while its handler still runs. */
  #keptEpoch: number | undefined;

  // Its place among the tasks of its worker.
  /** Whether it has the lock of its key: it keeps running, waits for another attempt, or is next. */
  hasKeyLock = false;
  /** When its handler started, by the monotonic clock; 0: not, or no listener wants to know. */
  startedAt = 0;
  /** Neighbours in the list of those that run. */
  before: RecordTask | undefined = undefined;
  after: RecordTask | undefined = undefined;

  // Where its value is.
  /** Undefined when the record has its own copy of the bytes. */
  batch: BufferedBatch | undefined;
  #bytes: Buffer;
  /** Undefined when the batch is not ASCII, or the record has its own copy of the bytes. */
  #values: ValueRun | undefined;
  readonly #index: number;
  #start: number;
  #end: number;

  constructor(
    source: RecordSource,
    record: EncodedRecord,
    values: ValueRun | undefined,
    batch: BufferedBatch | undefined,
    codecId: number,
    attempt: number,
  ) {
    super();
    this.source = source;
    this.attempt = attempt;
    this.offset = record.offset;
    this.lastOffset = record.offset;
    this.key = record.key;
    this.headers = record.headers;
    this.timestamp = record.timestamp;
    this.codecId = codecId;
    this.batch = batch;
    this.nonce = batch?.nonce;
    this.#bytes = record.body;
    this.#start = record.start;
    this.#end = record.end;
    this.#values = values;
    this.#index = values === undefined ? 0 : values.add(record.start, record.end);
  }

  get topic(): string {
    return this.source.topic;
  }

  get partition(): number {
    return this.source.partition;
  }

  get group(): string {
    return this.source.group;
  }

  get epoch(): number {
    return this.#keptEpoch ?? this.source.epoch;
  }

  /** Whether its handler has committed it. */
  get isCommitted(): boolean {
    return isCommitted(this.#state);
  }

  /** Bytes of the value. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** As stored in the log. */
  get record(): StoredRecord {
    const { offset, timestamp, key, headers } = this;
    return { offset, timestamp, key, headers, value: this.#bytes.subarray(this.#start, this.#end) };
  }

  /** @throws any error when the codec cannot decode the bytes */
  decode(codec: Codec): unknown {
    if (this.#values !== undefined && readsText(codec)) return this.#values.decode(this.#index, codec);
    if (codec.decodePart !== undefined) return codec.decodePart(this.#bytes, this.#start, this.#end);
    return codec.decode(this.#bytes.subarray(this.#start, this.#end));
  }

  commit(): Promise<void> {
    return this.source.commit(this);
  }

  /** The handler's outcome is known. */
  decided(): void {
    this.#state = afterOutcome(this.#state);
  }

  /** The handler has committed it. */
  committed(): void {
    this.#state = afterCommit(this.#state);
  }

  keepEpoch(): void {
    this.#keptEpoch = this.epoch;
  }

  /** Copies the value out of its batch. */
  detach(): void {
    this.#bytes = Buffer.from(this.#bytes.subarray(this.#start, this.#end));
    this.#values = undefined;
    this.#end -= this.#start;
    this.#start = 0;
    this.batch = undefined;
  }

  /** The same record's next attempt. */
  nextAttempt(attempt: number): RecordTask {
    const { offset, timestamp, key, headers } = this;
    const place = {
      offset,
      timestamp,
      key,
      headers,
      body: this.#bytes,
      start: this.#start,
      end: this.#end,
    };
    const task = new RecordTask(this.source, place, undefined, this.batch, this.codecId, attempt);
    task.nonce = this.nonce;
    task.lastOffset = this.lastOffset;
    task.deadLetter = this.deadLetter;
    task.returns = this.returns;
    return task;
  }
}
