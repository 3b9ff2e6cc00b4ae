import {
  accepted,
  type Codec,
  CodecError,
  checkedHeaders,
  InvalidItems,
  InvalidMessageError,
  messageOf,
  msgpackCodec,
  msgpackInstallation,
  quotedName,
  UnavailableError,
  WriteError,
} from '@millrace/core';
import { partitionForKey } from '../model/partitioner.js';
import type { RecordInput } from '../model/record.js';
import { noSuchPartition, type Topic } from '../model/topic.js';
import type { TopicCatalog } from '../topics/topic-catalog.js';
import type { PendingSend, PreparedRecord } from './pending-send.js';
import type { ProducerDependencies } from './producer-dependencies.js';
import type { Partitioner, ProducerOptions } from './producer-options.js';

/** Bytes that a record takes in a batch besides its key, headers and value. */
const recordOverheadBytes = 8;

const notDeclaredInTime = 'what must be declared before the first record was not declared in time.';

/** Checks records and encodes their values, so that an invalid one is found before anything is sent. */
export class RecordPreparation {
  readonly #catalog: TopicCatalog;
  readonly #codecs: ReadonlyMap<string, Codec>;
  readonly #firstUse: ProducerDependencies['firstUse'];
  readonly #options: ProducerOptions;

  constructor(dependencies: ProducerDependencies, options: ProducerOptions) {
    this.#catalog = dependencies.catalog;
    this.#codecs = dependencies.codecs;
    this.#firstUse = dependencies.firstUse;
    this.#options = options;
  }

  /**
   * The records, checked and encoded; undefined when something must be looked up first, unless `isFinal`.
   *
   * @throws {InvalidMessageError} too large, cannot be encoded, a reserved header, no such partition
   */
  prepare(
    records: readonly RecordInput[],
    pending: PendingSend,
    { isFinal = false } = {},
  ): PreparedRecord[] | undefined {
    const prepared: PreparedRecord[] = new Array(records.length);
    const values = records.length === 1 ? undefined : this.#encodeTogether(records);
    let wrong: InvalidItems | undefined;
    for (let index = 0; index < records.length; index++) {
      try {
        const one = this.#prepareOne(records[index], pending, index, isFinal, values?.[index]);
        if (one !== undefined) prepared[index] = one;
        else if (wrong === undefined) return undefined;
      } catch (error) {
        // The one record of a `send` needs no index in its error.
        if (!pending.isBatch) throw error;
        wrong ??= new InvalidItems();
        wrong.add(placeOf(records[index], index), error);
      }
    }
    if (wrong !== undefined) throw wrong.error();
    return prepared;
  }

  #prepareOne(
    record: RecordInput | undefined,
    pending: PendingSend,
    index: number,
    isFinal: boolean,
    value: string | undefined,
  ): PreparedRecord | undefined {
    const topic = this.#catalog.peek(topicNameOf(record));
    if (record === undefined || topic === undefined) return undefined;
    // An unknown partition may have been added meanwhile.
    if (!isFinal && (record.partition ?? 0) >= topic.partitions) return undefined;
    return this.#encoded(record, topic, pending, index, value);
  }

  /** The encoded values of records for one topic, if encoding them together is faster. */
  #encodeTogether(records: readonly RecordInput[]): string[] | undefined {
    const name = records[0]?.topic;
    const topic = name === undefined ? undefined : this.#catalog.peek(name);
    const codec = topic && this.#codecs.get(topic.codec);
    if (codec?.encodeTexts === undefined) return undefined;
    const values: unknown[] = new Array(records.length);
    for (let index = 0; index < records.length; index++) {
      const record = records[index];
      if (record?.topic !== name) return undefined;
      values[index] = record?.value;
    }
    return codec.encodeTexts(values);
  }

  /** Looks up what `prepare` needs to know of a record's topic. @throws {TopicNotFoundError} @throws {WriteError} on a timeout */
  async learn(record: RecordInput, timeoutMs: number): Promise<void> {
    // `prepare` throws for a record without a topic.
    if (typeof record?.topic !== 'string') return;
    const known = this.#catalog.peek(record.topic);
    if (known !== undefined && (record.partition ?? 0) < known.partitions) return;
    const deadline = performance.now() + timeoutMs;
    try {
      if ((await this.#firstUse()?.done(timeoutMs)) === false) throw new UnavailableError(notDeclaredInTime);
      await this.#catalog.refresh(record.topic, Math.max(1, deadline - performance.now()));
    } catch (cause) {
      if (!(cause instanceof UnavailableError)) throw cause;
      throw new WriteError(cause.message, { failure: 'unavailable', mayBeWritten: false, cause });
    }
  }

  #encoded(
    record: RecordInput,
    topic: Topic,
    pending: PendingSend,
    index: number,
    encoded: string | undefined,
  ): PreparedRecord {
    const { key, timestamp = Date.now() } = record;
    if (key !== undefined && typeof key !== 'string')
      throw invalid(topic, `its key must be a string, got ${typeof key}`);
    if (!Number.isSafeInteger(timestamp) || timestamp < 0) {
      throw invalid(topic, `its timestamp must be a whole number of ms since 1970, got ${String(timestamp)}`);
    }
    const headers = record.headers === undefined ? undefined : checkedHeaders(subjectOf(topic), record.headers);
    const partition = partitionOf(record, topic, this.#options);
    const value = encoded ?? encode(record.value, topic, this.#codecs.get(topic.codec));
    const valueBytes = byteLength(value);
    const bytes = recordOverheadBytes + valueBytes + (key === undefined ? 0 : byteLength(key)) + bytesOf(headers);
    const { maxRecordBytes } = this.#options;
    if (bytes > maxRecordBytes) {
      const what = `it has ${bytes} bytes, more than maxRecordBytes (${maxRecordBytes})`;
      throw invalid(topic, `${what}. Send less, or raise maxRecordBytes of the producer`);
    }
    return { topic, partition, key, headers, timestamp, bytes, value, valueBytes, pending, index };
  }
}

function placeOf(record: RecordInput | undefined, index: number): string {
  const key = record?.key;
  return key === undefined ? `records[${index}]` : `records[${index}] (key ${quotedName(key)})`;
}

function topicNameOf(record: RecordInput | undefined): string {
  if (typeof record?.topic === 'string') return record.topic;
  throw new InvalidMessageError('a record must be { topic, value, … } whose topic is a string.');
}

function partitionOf(record: RecordInput, topic: Topic, options: ProducerOptions): number | undefined {
  const { partitioner } = options;
  const chosen = record.partition ?? (partitioner && chosenBy(partitioner, record, topic));
  if (chosen !== undefined) {
    if (Number.isInteger(chosen) && chosen >= 0 && chosen < topic.partitions) return chosen;
    throw noSuchPartition(topic, chosen);
  }
  return record.key === undefined ? undefined : partitionForKey(record.key, topic.partitions);
}

function chosenBy(partitioner: Partitioner, record: RecordInput, topic: Topic): number | undefined {
  try {
    return accepted(partition, partitioner(record, topic.partitions));
  } catch (cause) {
    throw invalid(topic, `its partition cannot be chosen: ${messageOf(cause).replace(/\.$/, '')}`, cause);
  }
}

const partition = {
  name: 'the partitioner',
  expects: 'the number of a partition, or undefined',
  accepts: (answer: unknown): answer is number | undefined => answer === undefined || Number.isInteger(answer),
};

function encode(value: unknown, topic: Topic, codec: Codec | undefined): Uint8Array | string {
  if (codec === undefined) {
    const what = `topic "${topic.name}" has the codec "${topic.codec}", which this Log does not know`;
    if (topic.codec === msgpackCodec.name) throw new CodecError(`${what}. ${msgpackInstallation}`);
    throw new CodecError(`${what}: add it to its options.`);
  }
  try {
    return codec.encode(value);
  } catch (cause) {
    throw invalid(topic, `its value cannot be encoded as ${codec.name}: ${messageOf(cause)}`, cause);
  }
}

function bytesOf(headers: PreparedRecord['headers']): number {
  if (headers === undefined) return 0;
  let bytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    bytes += byteLength(name) + 3 + (typeof value === 'string' ? byteLength(value) : 8);
  }
  return bytes;
}

function byteLength(content: Uint8Array | string): number {
  return typeof content === 'string' ? Buffer.byteLength(content) : content.length;
}

function invalid(topic: Topic, problem: string, cause?: unknown): InvalidMessageError {
  return new InvalidMessageError(`${subjectOf(topic)}: ${problem}.`, { cause });
}

function subjectOf(topic: Topic): string {
  return `record for topic "${topic.name}"`;
}
