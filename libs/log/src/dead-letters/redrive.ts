import {
  accepted,
  assertNoProblem,
  deadLettersOf,
  isBoolean,
  type RedriveReport,
  type RedriveResult,
  RedriveTally,
  rateOf,
  TopicNotFoundError,
} from '@millrace/core';
import { keepPace, RateLimit } from '@millrace/delivery';
import type { RedisConnection } from '@millrace/redis';
import { idempotently } from '../idempotent-call.js';
import { type DecodedBatch, decodeBatch } from '../model/batch-compression.js';
import { originOf, recordsOf, redriveFrame } from '../model/dead-letter.js';
import type { StoredRecord } from '../model/record.js';
import { partitionProblems, type Topic } from '../model/topic.js';
import type { TopicPartition } from '../model/topic-partition.js';
import { copiedRecords, copyOnce } from '../store/copy.js';
import { partitionKeys, redriveSource } from '../store/keys.js';
import { partitionState } from '../store/partition.js';
import { readBatches } from '../store/read.js';
import type { ForeignEntries } from '../topics/foreign-entries.js';
import type { TopicCatalog } from '../topics/topic-catalog.js';
import type { Topics } from '../topics/topics.js';
import { infoOf } from './dead-letter-info.js';
import { checkedRedrive, type RedriveOptions } from './redrive-options.js';

export type { RedriveReport };

const isWanted = { name: 'the filter', expects: 'true or false', accepts: isBoolean };

/**
 * Sends dead letters back to the partitions they came from, in order, for the group that gave them up: the topic's other
 * groups skip them. Each is sent once, even if the redrive is repeated or interrupted.
 */
export class Redrive {
  readonly #connection: RedisConnection;
  readonly #catalog: TopicCatalog;
  readonly #topics: Topics;
  readonly #foreignEntries: ForeignEntries;

  constructor(connection: RedisConnection, catalog: TopicCatalog, topics: Topics, foreignEntries: ForeignEntries) {
    this.#connection = connection;
    this.#catalog = catalog;
    this.#topics = topics;
    this.#foreignEntries = foreignEntries;
  }

  /** @throws {OptionsError} @throws {TopicNotFoundError} */
  async run(input: RedriveOptions): Promise<RedriveReport> {
    const options = checkedRedrive(input);
    const tally = new RedriveTally();
    const topic = await this.#topics.unlessAwaited(options.topic, () => this.#topics.describe(options.topic));
    if (topic === undefined) return tally.report();
    const { partitions } = topic;
    const chosen = options.records?.map((record) => record.partition);
    assertNoProblem('redrive', ...partitionProblems(topic, chosen));
    const rate = rateOf(options);
    const limit = rate && new RateLimit(rate, performance.now());
    for (let partition = 0; partition < partitions; partition++) {
      await this.#runPartition(options, partition, limit, tally);
    }
    return tally.report();
  }

  async #runPartition(
    options: RedriveOptions,
    partition: number,
    rate: RateLimit | undefined,
    tally: RedriveTally,
  ): Promise<void> {
    const chosen = options.records?.filter((record) => record.partition === partition);
    if (chosen?.length === 0) return;
    const offsets = chosen && new Set(chosen.map(({ offset }) => offset));
    const keys = partitionKeys(this.#connection.prefix, options.topic, partition);
    const state = await this.#ask(options.topic, (client) => partitionState(client, keys));
    const { start, end } = state ?? { start: 0, end: 0 };
    const copied = new Map<string, Set<string>>();
    for (let position = start; position < end; ) {
      const batches = await this.#ask(options.topic, (client) => readBatches(client, keys, position, { count: 50 }));
      if (batches.length === 0) return;
      for (const { frame, endOffset, nonce } of batches) {
        const { codecId, records } = decodeBatch(frame, endOffset);
        // Distinguishes it from a letter that had its offset before Redis lost it, or in a deleted topic of the same name.
        const pass = nonce ?? '0';
        for (const record of records) {
          if (record.offset < start || record.offset >= end || offsets?.has(record.offset) === false) continue;
          if (options.signal?.aborted) return;
          const result = await this.#one(options, { partition, record, codecId, pass, start, copied, rate });
          if (result === undefined) return;
          tally.add(result);
        }
        position = endOffset;
      }
    }
  }

  /** Undefined when the redrive ended before the letter was sent. */
  async #one(options: RedriveOptions, letter: Letter, { isAgain = false } = {}): Promise<RedriveResult | undefined> {
    const origin = originOf(letter.record.headers);
    const topic = origin === undefined ? undefined : await this.#findTopic(origin.topic);
    const batch = recordsOf(letter.record, letter.codecId);
    const stuck = (why: string): RedriveResult => ({ id: `${letter.partition}:${letter.record.offset}`, why });
    if (origin === undefined) return stuck('it is no dead letter: it names no origin');
    if (topic === undefined) return stuck(`topic "${origin.topic}" does not exist`);
    if (batch === undefined) return stuck('its batch cannot be read: it is damaged, or in a newer format');
    if (!mayComeFrom(topic, options))
      return stuck(`topic "${topic.name}" keeps its dead letters elsewhere: allow it with allowTopics`);
    const { filter } = options;
    if (filter !== undefined && !accepted(isWanted, filter(infoOf(letter.record, letter.partition, origin))))
      return 'filtered';
    if (origin.redrives >= (options.maxRedrives ?? 3)) return 'looping';
    const to = {
      topic: topic.name,
      partition: origin.partition % topic.partitions,
      source: redriveSource({ topic: options.topic, partition: letter.partition }),
    };
    if (await this.#isCopied(topic, to, letter)) return 'repeated';
    if (options.dryRun) return 'redriven';
    if (letter.rate !== undefined && !(await keepPace(letter.rate, options.signal))) return undefined;
    const sent = await this.#send(topic, to, letter, batch);
    if (sent !== 'gone') return sent;
    // The topic was deleted since this process read its settings; another one may have its name.
    this.#catalog.forget(topic.name);
    if (isAgain) return stuck(`topic "${topic.name}" is deleted and declared again all the time`);
    return this.#one(options, letter, { isAgain: true });
  }

  async #send(
    topic: Topic,
    to: TopicPartition & { readonly source: string },
    letter: Letter,
    batch: DecodedBatch,
  ): Promise<RedriveResult | 'gone'> {
    const timestamp = Date.now();
    const frame = redriveFrame(letter.record.headers, batch, timestamp);
    const { offset: sourceOffset } = letter.record;
    const copy = {
      ...to,
      topicId: topic.id,
      sourceOffset,
      pass: letter.pass,
      floor: letter.start,
      timestamp,
      count: batch.records.length,
      frame,
      rememberMs: 0,
    };
    const send = () => this.#ask(topic.name, (client) => copyOnce(client, this.#connection.prefix, copy));
    let reply = await send();
    while (reply.kind === 'blocked') {
      await this.#foreignEntries.remove({ topic: topic.name, partition: to.partition });
      reply = await send();
    }
    return reply.kind === 'copied' ? 'redriven' : reply.kind;
  }

  async #isCopied({ id }: Topic, to: TopicPartition & { readonly source: string }, letter: Letter): Promise<boolean> {
    const name = `${id}:${to.partition}`;
    let copied = letter.copied.get(name);
    if (copied === undefined) {
      copied = await this.#ask(to.topic, (client) => copiedRecords(client, this.#connection.prefix, to, letter.start));
      letter.copied.set(name, copied);
    }
    return copied.has(`${letter.pass}:${letter.record.offset}`);
  }

  async #findTopic(name: string): Promise<Topic | undefined> {
    try {
      return await this.#catalog.get(name);
    } catch (error) {
      if (error instanceof TopicNotFoundError) return undefined;
      throw error;
    }
  }

  #ask<T>(topic: string, call: (client: RedisConnection['commands']) => Promise<T>): Promise<T> {
    return idempotently(this.#connection, `redrive topic "${topic}"`, call);
  }
}

/** A letter names its own origin, so it is sent to no topic that keeps its dead letters elsewhere. */
function mayComeFrom({ name, deadLetter }: Topic, { topic, allowTopics = [] }: RedriveOptions): boolean {
  return (
    (deadLetter !== false && deadLetter.topic === topic) || deadLettersOf(name) === topic || allowTopics.includes(name)
  );
}

/** A dead letter on its way back. */
interface Letter {
  readonly partition: number;
  readonly record: StoredRecord;
  readonly codecId: number;
  /** Which append wrote it. */
  readonly pass: string;
  /** The log start offset of the dead-letter partition. */
  readonly start: number;
  /** By target partition: what was sent there before. */
  readonly copied: Map<string, Set<string>>;
  readonly rate: RateLimit | undefined;
}
