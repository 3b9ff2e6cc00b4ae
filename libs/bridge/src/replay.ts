import { randomUUID } from 'node:crypto';
import {
  accepted,
  assertNoProblem,
  didYouMean,
  type Headers,
  isBoolean,
  notify,
  reservedHeaderPrefix,
  shown,
} from '@millrace/core';
import { type Log, type LogRecord, partitionProblems, placeProblem, type ReadFrom } from '@millrace/log';
import type { Broker, MessageInput } from '@millrace/queue';

/** The records to replay, and their target. */
export interface ReplayOptions {
  /** The topic whose records are published again. */
  readonly topic: string;
  /** The partitions to replay. Default: all of the topic. */
  readonly partitions?: readonly number[] | undefined;
  /** Where to begin: an offset, a time, or `earliest`. Default `earliest`. */
  readonly from?: ReadFrom | undefined;
  /** Where to stop: before this offset or time. Default: the log's end when the replay begins. */
  readonly to?: number | { readonly timestamp: number } | undefined;
  /** A queue, or an exchange; the routing key is the record's key unless one is given here. */
  readonly into: { readonly queue: string } | { readonly exchange: string; readonly routingKey?: string | undefined };
  /**
   * Selects the records for which it returns true. Default: all. If it throws, or returns anything but true or false, the replay ends
   * with that error; records published before stay published.
   */
  readonly where?: ((record: LogRecord) => boolean) | undefined;
  /**
   * Repeat an interrupted replay with its id: messages that have arrived are not published twice, as long as the queue remembers their
   * ids (`deduplicationWindowMs`). Default: a new id, so that a second replay publishes everything again.
   */
  readonly id?: string | undefined;
  /**
   * Called after every batch: `next` is the offset to go on from. If it throws or rejects, the replay ends with that error after the
   * batch in flight; its promise is not awaited.
   */
  readonly onProgress?:
    | ((progress: ReplayProgress & { readonly partition: number; readonly next: number }) => void)
    | undefined;
}

/** The result of a replay. */
export interface ReplayProgress {
  /** The replay's id. */
  readonly id: string;
  /** Records published so far. */
  readonly published: number;
  /** Records left out by `where`. */
  readonly skipped: number;
  /** Records that reached no queue: no binding matched, or the queue refused them. */
  readonly unplaced: number;
}

/**
 * Publishes a range of a log into a queue or through an exchange, partition after partition, each in order. The log and its groups are
 * not changed.
 *
 * @throws {OptionsError} there is no such option or partition, or `from` or `to` is invalid @throws {TopicNotFoundError} @throws
 * {TopologyNotFoundError} @throws {OffsetOutOfRangeError} @throws {WriteError}
 */
export async function replay(log: Log, broker: Broker, options: ReplayOptions): Promise<ReplayProgress> {
  assertNoProblem('replay', ...unknownOptions(options));
  const { topic, id = randomUUID() } = options;
  const known = await log.describeTopic(topic);
  const places = [
    options.from === undefined ? undefined : placeProblem('from', options.from),
    options.to === undefined ? undefined : placeProblem('to', options.to),
  ];
  assertNoProblem('replay', ...partitionProblems(known, options.partitions), ...places);
  const partitions = options.partitions ?? Array.from({ length: known.partitions }, (_, partition) => partition);
  let failure: { readonly error: unknown } | undefined;
  let progress: ReplayProgress = { id, published: 0, skipped: 0, unplaced: 0 };
  for (const partition of partitions) {
    const range = await rangeOf(log, options, partition);
    if (range === undefined) continue;
    for await (const records of log.readBatches({ topic, partition, ...range })) {
      progress = await publishAll(broker, options, records, progress);
      const next = (records.at(-1)?.offset ?? 0) + 1;
      const soFar = { ...progress, partition, next };
      notify(
        () => options.onProgress?.(soFar),
        (error) => {
          failure ??= { error };
        },
      );
      if (failure !== undefined) throw failure.error;
    }
  }
  return progress;
}

const knownOptions = [
  'topic',
  'partitions',
  'from',
  'to',
  'into',
  'where',
  'id',
  'onProgress',
] satisfies (keyof ReplayOptions)[];

/** A misspelt option would replay more than was asked for. */
function unknownOptions(options: unknown): string[] {
  if (typeof options !== 'object' || options === null) return [`options must be an object, got ${shown(options)}`];
  const unknown = Object.keys(options).filter((key) => !knownOptions.some((name) => name === key));
  return unknown.map((key) => `unknown option ${key}${didYouMean(key, knownOptions)}`);
}

const isWanted = { name: 'where', expects: 'true or false', accepts: isBoolean };

async function publishAll(
  broker: Broker,
  { into, where = () => true }: ReplayOptions,
  records: readonly LogRecord[],
  progress: ReplayProgress,
): Promise<ReplayProgress> {
  const wanted = records.filter((record) => accepted(isWanted, where(record)));
  const receipts = await broker.publishBatch(wanted.map((record) => messageOf(record, into, progress.id)));
  const placed = receipts.filter(({ queues, topics }) => queues.length + topics.length > 0).length;
  return {
    id: progress.id,
    published: progress.published + placed,
    skipped: progress.skipped + records.length - wanted.length,
    unplaced: progress.unplaced + wanted.length - placed,
  };
}

function messageOf(record: LogRecord, into: ReplayOptions['into'], id: string): MessageInput {
  const { partition, offset, timestamp, value: body } = record;
  const properties = { messageId: `${id}:${partition}:${offset}`, timestamp, headers: ownHeaders(record.headers) };
  if ('queue' in into)
    return { exchange: '', routingKey: into.queue, body, properties: { ...properties, mandatory: true } };
  return { exchange: into.exchange, routingKey: into.routingKey ?? record.key ?? '', body, properties };
}

/** Removes Millrace's own headers: they describe the record's history, not its content. */
function ownHeaders(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(reservedHeaderPrefix)));
}

/** The range of offsets to replay; undefined when it is empty. */
async function rangeOf(
  log: Log,
  { topic, from = 'earliest', to }: ReplayOptions,
  partition: number,
): Promise<{ from: number; to: number } | undefined> {
  const offsetOf = (place: ReadFrom): number | Promise<number> => {
    if (typeof place === 'number') return place;
    if (place === 'earliest') return log.beginOffset(topic, partition);
    return place === 'latest'
      ? log.endOffset(topic, partition)
      : log.offsetForTimestamp(topic, partition, place.timestamp);
  };
  const end = await log.endOffset(topic, partition);
  const range = { from: await offsetOf(from), to: Math.min(end, await offsetOf(to ?? end)) };
  return range.from < range.to ? range : undefined;
}
