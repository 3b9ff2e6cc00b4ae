import {
  assertNoProblem,
  DamagedStateError,
  deadLettersOf,
  InvalidMessageError,
  integer,
  integerProblem,
  keepsDeadLetters,
  maxNameBytes,
  type OptionReader,
  type OptionReaders,
  object,
  oneOf,
  optional,
  readStored,
  required,
  resolveOptions,
  type SettingDifference,
  shown,
  text,
  topicNameProblem,
} from '@millrace/core';
import { type Compression, compressions } from './record-batch.js';

/** What retention does when a batch is over a limit and a registered group has not read it yet. */
export const unreadPolicies = ['expire', 'protect', 'reject'] as const;
/** `expire`, `protect` or `reject`: see {@link Retention.unread}. */
export type UnreadPolicy = (typeof unreadPolicies)[number];

/** How long records are kept. A batch is removed when all its records are over one of the limits; without limits, never. */
export interface Retention {
  /** In ms, by the records' timestamps; by the time of the append, if they are more than an hour ahead of it. */
  readonly maxAgeMs?: number | undefined;
  /** Records per partition. */
  readonly maxRecords?: number | undefined;
  /** Bytes of batches per partition, as stored (compressed). */
  readonly maxBytes?: number | undefined;
  /**
   * What happens to records over a limit that a group has not read. `expire` (default): they are removed; this is counted and emitted.
   * `protect`: they stay until the slowest group has read them. `reject`: they stay, and once that slowest group's
   * unread records reach maxRecords or maxBytes, producers get an error.
   */
  readonly unread: UnreadPolicy;
}

/** Which timestamps readers see. */
export const timestampKinds = ['create', 'append'] as const;
/** `create` or `append`: see {@link TopicSettings.timestamps}. */
export type TimestampKind = (typeof timestampKinds)[number];

/** The declared settings of a topic. */
export interface TopicSettings {
  /** At most 255 bytes. */
  readonly name: string;
  /** The number of partitions; it can grow, but not shrink. Default 1. */
  readonly partitions: number;
  /** Name of the codec that encodes values. Default `json`. */
  readonly codec: string;
  /** How batches are compressed, unless a producer sets otherwise. Default `none`. */
  readonly compression: Compression;
  /** How long records are kept. Without limits: forever. */
  readonly retention: Retention;
  /** Where records go that a group gave up; `false`: nowhere, they are only reported. Default `<topic>.dead-letters`. */
  readonly deadLetter: { readonly topic: string } | false;
  /**
   * The timestamp that readers, handlers, searches by time and retention use: the one set by the producer (`create`,
   * Kafka's `CreateTime`), or the time of the append, by Redis's clock (`append`, Kafka's `LogAppendTime`). Default `create`.
   */
  readonly timestamps: TimestampKind;
}

/** A topic as users declare it. */
export interface TopicInput {
  /** Any string of 1 to 255 bytes without control characters, except `.` and `..`. */
  readonly name: string;
  /** How many partitions, 1 to 4,096. Default 1. */
  readonly partitions?: number | undefined;
  /** `json` (default), `msgpack` (where the application has installed msgpackr), `raw`, or the name of one of the Log's `codecs`. */
  readonly codec?: string | undefined;
  /** How batches are compressed: `none` (default), `zlib`, `brotli`, or `zstd` where Node has it. */
  readonly compression?: Compression | undefined;
  /** Default: 7 days, as in Kafka. If set, only the limits in it apply; `{}` keeps records forever. */
  readonly retention?: Partial<Retention> | undefined;
  /** Default `<name>.dead-letters`. */
  readonly deadLetter?: { readonly topic: string } | false | undefined;
  /**
   * The timestamp of a record: `create` (default), the one set by the producer; `append`, the time of the append, by Redis's
   * clock. Can be changed (`alterTopic`): it applies to what is appended from then on.
   */
  readonly timestamps?: TimestampKind | undefined;
}

/** A declared topic. */
export interface Topic extends TopicSettings {
  /** Differs for each declaration of a topic after a deletion. */
  readonly id: number;
  /** Grows with each change of the settings. */
  readonly version: number;
}

export const maxPartitions = 4096;
const dayMs = 86_400_000;
const defaultRetention: Retention = { maxAgeMs: 7 * dayMs, unread: 'expire' };

/** Fills in the defaults. @throws {OptionsError} with all problems */
export function resolveTopic(input: TopicInput): TopicSettings {
  assertNoProblem('topic', topicNameProblem(input?.name));
  return resolveOptions<TopicSettings>(`topic "${input.name}"`, readersFor(input.name), input);
}

/** Parses a topic's settings stored in Redis, where any client may have changed them. @throws {DamagedStateError} */
export function readStoredTopic(json: string, key: string, name = nameIn(json)): Topic {
  const remedy = 'Declare it again, which rewrites its settings and keeps its records: declareTopic({ name: … }).';
  const place = { object: `topic ${JSON.stringify(name)}`, key: `${key}, field ${JSON.stringify(name)}`, remedy };
  const counted = integer(0, { min: 1 });
  const topic = readStored<Topic>(
    { ...readersFor(name), id: required(counted), version: required(counted), name: required(text(name)) },
    json,
    place,
  );
  const problem = topic.name === name ? topicNameProblem(name) : `it is called ${JSON.stringify(topic.name)}`;
  if (problem !== undefined) throw new DamagedStateError(place, [problem]);
  return topic;
}

function nameIn(json: string): string {
  try {
    const value: unknown = JSON.parse(json);
    const name = typeof value === 'object' && value !== null && 'name' in value ? value.name : undefined;
    return typeof name === 'string' ? name.slice(0, maxNameBytes) : '?';
  } catch {
    return '?';
  }
}

/** The topics that keep dead letters: those that others declare for it, and those with such a name. */
export function deadLetterTopics(topics: Iterable<Pick<TopicSettings, 'name' | 'deadLetter'>>): Set<string> {
  const names = new Set<string>();
  for (const { name, deadLetter } of topics) {
    if (keepsDeadLetters(name)) names.add(name);
    if (deadLetter) names.add(deadLetter.topic);
  }
  return names;
}

/** The differences between `declared` and `requested`. */
export function topicDifferences(declared: TopicSettings, requested: TopicSettings): SettingDifference[] {
  const settings = ['partitions', 'codec', 'compression', 'retention', 'deadLetter', 'timestamps'] as const;
  return settings.flatMap((setting) => {
    const difference = { setting, declared: declared[setting], requested: requested[setting] };
    return canonical(difference.declared) === canonical(difference.requested) ? [] : [difference];
  });
}

function readersFor(name: string): OptionReaders<TopicSettings> {
  return {
    name: text(name),
    partitions: integer(1, { min: 1, max: maxPartitions }),
    codec: text('json'),
    compression: oneOf(compressions, 'none'),
    retention,
    deadLetter: deadLetter(name),
    timestamps: oneOf(timestampKinds, 'create'),
  };
}

const retentionReader = object<Retention>({
  maxAgeMs: optional(integer(0, { min: 1 })),
  maxRecords: optional(integer(0, { min: 1 })),
  maxBytes: optional(integer(0, { min: 1 })),
  unread: oneOf(unreadPolicies, 'expire'),
});

const retention: OptionReader<Retention> = (value, report, path) => {
  if (value === undefined) return defaultRetention;
  const given = retentionReader(value, report, path);
  if (given.unread === 'reject' && given.maxRecords === undefined && given.maxBytes === undefined) {
    report(`${path}.unread 'reject' needs ${path}.maxRecords or ${path}.maxBytes: without a limit nothing is rejected`);
  }
  return given;
};

function deadLetter(name: string): OptionReader<TopicSettings['deadLetter']> {
  return (value, report, path) => {
    if (value === false) return false;
    if (value === undefined && Buffer.byteLength(deadLettersOf(name)) > maxNameBytes) {
      report(`${path} must be given: the default name "<topic>.dead-letters" would be longer than 255 bytes`);
      return false;
    }
    if (value === undefined) return { topic: deadLettersOf(name) };
    const given = object<{ topic: string }>({ topic: text(deadLettersOf(name)) })(value, report, path);
    const problem = topicNameProblem(given.topic, `${path}.topic`);
    if (problem !== undefined) report(problem);
    if (given.topic === name) report(`${path}.topic must be another topic`);
    return given;
  };
}

/** The error for a partition that a topic does not have; `partition` may come from untyped code. */
export function noSuchPartition(topic: Topic, partition: unknown): InvalidMessageError {
  return new InvalidMessageError(
    `topic "${topic.name}" has no partition ${shown(partition)}: it has ${topic.partitions}, numbered from 0${asNumber(partition)}.`,
  );
}

/** What is wrong with a list of a topic's partitions, which may come from untyped code; undefined is valid. */
export function partitionProblems({ name, partitions: count }: Topic, partitions: unknown): string[] {
  if (partitions === undefined) return [];
  if (!Array.isArray(partitions)) return [`partitions must be a list of numbers, got ${shown(partitions)}`];
  const wrong = partitions.filter((one) => integerProblem('partition', one, { max: count - 1 }) !== undefined);
  return wrong.map(
    (one) => `topic "${name}" has no partition ${shown(one)}: it has ${count}, numbered from 0${asNumber(one)}`,
  );
}

/** A string is no partition, even one of digits, as what comes from a URL is. */
function asNumber(partition: unknown): string {
  return typeof partition === 'string' ? '. A partition is a number, not a string' : '';
}

/** JSON with sorted keys, and without undefined values. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
