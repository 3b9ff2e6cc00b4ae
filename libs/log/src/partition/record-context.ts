import type { Codec, Headers } from '@millrace/core';
import { DeliveryContext } from '@millrace/delivery';
import type { DeadLetterCause } from '../model/dead-letter.js';
import type { StoredRecord } from '../model/record.js';
import { readsText, type ValueRun } from './value-run.js';

/** One owner's tenure of one partition: what all its records share. */
export interface RecordSource {
  readonly topic: string;
  readonly partition: number;
  readonly group: string;
  /** A fencing token for what handlers write elsewhere: see `RecordContext.epoch`. */
  readonly epoch: number;
  /** Marks a record as done; resolves when that is stored. */
  acknowledge(task: RecordTask): Promise<void>;
}

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

/** A batch of the log that stays in memory until its records are handled. */
export interface HeldBatch {
  readonly codecId: number;
  /** The memory it takes: its frame, and the decoded body. */
  bytes: number;
  /** Unique per append. */
  readonly nonce: string | undefined;
  /** The number of records that still need the batch's bytes. */
  live: number;
}

/** A record and the worker's state for it, besides what the handler sees. */
export class RecordTask extends RecordContext {
  readonly source: RecordSource;
  readonly attempt: number;
  readonly offset: number;
  readonly key: string | undefined;
  readonly headers: Headers;
  readonly timestamp: number;
  readonly codecId: number;
  /** Undefined when the record has its own copy of the bytes. */
  batch: HeldBatch | undefined;
  /** Set when the record is given up and only its dead letter still has to be written. */
  deadLetter: DeadLetterCause | undefined = undefined;
  /** Later than `offset` when it stands for several records whose batch cannot be read. */
  lastOffset: number;
  /** Identifies the append that wrote it. */
  nonce: string | undefined;
  /** Deliveries that ended without an outcome: the lease expired, or the owner ended. */
  returns = 0;
  isAcknowledged = false;
  isDecided = false;
  /** Whether it holds its key: it keeps running, waits for another attempt, or is next. */
  holdsKey = false;
  startedAt = 0;
  /** Neighbours in the list of those that run. */
  before: RecordTask | undefined = undefined;
  after: RecordTask | undefined = undefined;
  /** Set when its attempt is given up while its handler still runs. */
  #keptEpoch: number | undefined;
  #bytes: Buffer;
  /** Undefined when the batch is not ASCII, or the record has its own copy of the bytes. */
  #values: ValueRun | undefined;
  readonly #index: number;
  #start: number;
  #end: number;

  constructor(
    source: RecordSource,
    record: RecordPlace,
    values: ValueRun | undefined,
    batch: HeldBatch | undefined,
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
    return this.source.acknowledge(this);
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
  again(attempt: number): RecordTask {
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
    task.lastOffset = this.lastOffset;
    task.nonce = this.nonce;
    task.deadLetter = this.deadLetter;
    task.returns = this.returns;
    return task;
  }
}

/** A record, and where its value is. */
interface RecordPlace extends Omit<StoredRecord, 'value'> {
  readonly body: Buffer;
  readonly start: number;
  readonly end: number;
}
