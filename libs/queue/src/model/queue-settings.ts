import {
  boolean,
  deadLettersOf,
  integer,
  keepsDeadLetters,
  maxNameBytes,
  nameProblem,
  type OptionReader,
  type OptionReaders,
  OptionsError,
  oneOf,
  optional,
  type Rate,
  rateOption,
  resolveOptions,
  type SettingDifference,
} from '@millrace/core';
import { type KeepCompleted, keepCompletedOption } from './keep-completed.js';

/** What happens when a queue is full. */
export const overflows = ['drop-head', 'reject-publish', 'dead-letter'] as const;
/**
 * - `drop-head`: the oldest message of the lowest priority makes room; where the queue has `deadLetter`, it goes there with reason `maxlen`
 * - `reject-publish`: the new message is refused, which its publisher's receipt shows
 * - `dead-letter`: the new message goes straight to `deadLetter` with reason `maxlen` (RabbitMQ: `reject-publish-dlx`)
 */
export type Overflow = (typeof overflows)[number];

/** Where a queue's dead letters go. The default exchange `''` sends to the queue that `routingKey` names. */
export interface DeadLetterTarget {
  /** The exchange's name. */
  readonly exchange: string;
  /** Default: the message's own routing key. */
  readonly routingKey?: string | undefined;
}

/** A declared queue. */
export interface QueueSettings {
  /** At most 255 bytes. */
  readonly name: string;
  /**
   * How long a message may wait, in ms (AMQP `x-message-ttl`). If a message has an expiration too, the shorter one applies. Default: no
   * limit.
   */
  readonly messageTtlMs?: number | undefined;
  /**
   * How long an unused queue (no consumer, no declaration) is kept, in ms (`x-expires`). Its messages are not dead-lettered. Default:
   * never.
   */
  readonly idleExpiryMs?: number | undefined;
  /** Most messages that may be ready (`x-max-length`); messages that consumers hold and delayed ones do not count. Default: no limit. */
  readonly maxLength?: number | undefined;
  /** Most bytes of ready messages, frames included (`x-max-length-bytes`). Default: no limit. */
  readonly maxBytes?: number | undefined;
  /** What happens when the queue is full. Default `drop-head`. */
  readonly overflow: Overflow;
  /** Number of priority levels, 1 to 10; a message's priority is clamped to it. Default 1: no priorities. */
  readonly priorities: number;
  /** Only one consumer gets messages at a time (`x-single-active-consumer`). Default false. */
  readonly singleActiveConsumer: boolean;
  /** Belongs to the Broker that declares it, and is deleted with it. Default false. */
  readonly exclusive: boolean;
  /** Is deleted when its last consumer leaves; not if it never had one. Default false. */
  readonly autoDelete: boolean;
  /** Where its dead letters go. Default: the queue `<name>.dead-letters`, which is created for the first one. */
  readonly deadLetter?: DeadLetterTarget | undefined;
  /** A message that was delivered more times than this without being settled is dead-lettered with reason `delivery_limit`. Default 20. */
  readonly deliveryLimit: number;
  /**
   * How long a message id set by its publisher is remembered after its message was handled, in ms: a second message with it counts as a
   * duplicate. Default 60,000; 0: not remembered.
   */
  readonly deduplicationWindowMs: number;
  /**
   * Keeps completed messages for inspection: `broker.queue(name).completed()`, and `message(id)` with its result. They
   * no longer belong to the queue: limits, counts and duplicate detection ignore them. What is dropped or cancelled is not kept.
   * Default: none are kept.
   */
  readonly keepCompleted?: KeepCompleted | undefined;
  /** Most messages per interval that all consumers together take, evenly spread. Default: no limit. */
  readonly rate?: Rate | undefined;
  /**
   * The same as `rate` with an `intervalMs` of 1000.
   *
   * @deprecated `maxPerSecond: n` is `rate: { limit: n, intervalMs: 1000 }`.
   */
  readonly maxPerSecond?: number | undefined;
  /**
   * Spreads the queue over this number of slots, and by that over the servers of a cluster; 1 to 64, and 1 is the same as none. Order is kept per shard: messages
   * with the same `shardKey` stay in one. `maxLength`, `maxBytes` and `rate` apply to the whole queue and are shared out evenly among
   * the shards; priorities and the single active consumer are per shard. It cannot be changed later. Default: one slot.
   */
  readonly shards?: number | undefined;
  /** The Broker that an exclusive queue belongs to. Written by Millrace. */
  readonly owner?: string | undefined;
}

/** A queue as users write it: everything but the name is optional. */
export type QueueDeclaration = { readonly name: string } & Partial<
  Omit<QueueSettings, 'name' | 'deadLetter' | 'owner'>
> & {
    /** An exchange, or `{ queue }` for one queue. */
    readonly deadLetter?: DeadLetterTarget | { readonly queue: string } | undefined;
  };

/** What can be changed while the queue is in use. */
const changeable: ReadonlySet<string> = new Set<keyof QueueSettings>([
  'messageTtlMs',
  'idleExpiryMs',
  'maxLength',
  'maxBytes',
  'overflow',
  'deadLetter',
  'deliveryLimit',
  'deduplicationWindowMs',
  'keepCompleted',
  'rate',
  'maxPerSecond',
]);

/** A queue's settings as stored, with defaults. @throws {OptionsError} with every problem */
export function resolveQueue(declaration: QueueDeclaration): QueueSettings {
  const subject = `queue ${JSON.stringify(declaration?.name)}`;
  const settings = resolveOptions<Omit<QueueSettings, 'owner'>>(
    subject,
    { ...queueReaders, rate: rateOption(declaration) },
    declaration,
  );
  const { shards = 1 } = settings;
  const problems = shared
    .filter((limit) => (settings[limit] ?? shards) < shards)
    .map((limit) => `${limit} is shared out among ${shards} shards: it must be at least ${shards}`);
  if ((settings.rate?.limit ?? shards) < shards) {
    problems.push(`rate.limit is shared out among ${shards} shards: it must be at least ${shards}`);
  }
  if ((settings.keepCompleted?.count ?? shards) < shards) {
    problems.push(`keepCompleted.count is shared out among ${shards} shards: it must be at least ${shards}`);
  }
  if (settings.deadLetter?.exchange === '' && settings.deadLetter.routingKey === settings.name) {
    problems.push('deadLetter must be another queue: a message that is rejected here would come back endlessly');
  }
  if (settings.deadLetter === undefined && hasNoRoomForDeadLetters(settings.name)) {
    problems.push('deadLetter must be given: the default name "<queue>.dead-letters" would be longer than 255 bytes');
  }
  if (problems.length > 0) throw new OptionsError(subject, problems);
  return asWritten(settings);
}

/** A rate per second is stored in its older form, so that it equals older declarations, here and in an older process. */
function asWritten(settings: QueueSettings): QueueSettings {
  const { rate, ...others } = settings;
  return rate?.intervalMs === 1000 ? { ...others, maxPerSecond: rate.limit } : settings;
}

/** A dead-letter queue keeps its own dead letters. */
function hasNoRoomForDeadLetters(queue: string): boolean {
  return Buffer.byteLength(deadLettersOf(queue)) > maxNameBytes && !keepsDeadLetters(queue);
}

/** Limits of which each shard has a share. */
const shared = ['maxLength', 'maxBytes', 'maxPerSecond'] as const;

/** Whether a difference can be applied to a queue in use. */
export function isChangeable({ setting }: SettingDifference): boolean {
  return changeable.has(setting);
}

/** The settings that differ, compared as JSON. */
export function differences(declared: object, requested: object): SettingDifference[] {
  const before: Record<string, unknown> = { ...declared };
  const after: Record<string, unknown> = { ...requested };
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((setting) => !isSame(before[setting], after[setting]))
    .map((setting) => ({ setting, declared: before[setting], requested: after[setting] }));
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Reads the name of an object of the topology. */
export function objectName(kind: string): OptionReader<string> {
  return (value, report) => {
    const problem = nameProblem(kind, value);
    if (problem === undefined && typeof value === 'string') return value;
    report(problem ?? `${kind} name is missing`);
    return '';
  };
}

const shardCount = optional(integer(1, { min: 1, max: 64 }));
const positive = optional(integer(1, { min: 1 }));

const deadLetterTarget: OptionReader<DeadLetterTarget | undefined> = (value, report, path) => {
  if (value === undefined) return undefined;
  const given: Record<string, unknown> = typeof value === 'object' && value !== null ? { ...value } : {};
  const { exchange, queue, routingKey, ...others } = given;
  for (const key of Object.keys(others)) report(`unknown option ${path}.${key}`, 'unknown');
  if ((exchange === undefined) === (queue === undefined)) {
    report(`${path} must be { exchange, routingKey? } or { queue }`);
    return undefined;
  }
  if (queue !== undefined) {
    if (routingKey !== undefined) report(`${path}.routingKey is only allowed with an exchange, not with a queue`);
    return { exchange: '', routingKey: objectName('queue')(queue, report, path) };
  }
  if (routingKey !== undefined && typeof routingKey !== 'string') report(`${path}.routingKey must be a string`);
  if (exchange === '' && routingKey === undefined) report(`${path}: name the queue, { queue: "…" }`);
  const name = exchange === '' ? '' : objectName('exchange')(exchange, report, path);
  return typeof routingKey === 'string' ? { exchange: name, routingKey } : { exchange: name };
};

/** The options of a declaration; `rate` is read together with its alias. */
export const queueReaders: OptionReaders<Omit<QueueSettings, 'owner' | 'rate'>> = {
  name: objectName('queue'),
  messageTtlMs: positive,
  idleExpiryMs: positive,
  maxLength: positive,
  maxBytes: positive,
  overflow: (value, report, path) => oneOf(overflows, 'drop-head')(value, report, path),
  priorities: integer(1, { min: 1, max: 10 }),
  singleActiveConsumer: boolean(false),
  exclusive: boolean(false),
  autoDelete: boolean(false),
  deadLetter: deadLetterTarget,
  deliveryLimit: integer(20, { min: 1 }),
  deduplicationWindowMs: integer(60_000),
  keepCompleted: keepCompletedOption,
  maxPerSecond: optional(integer(1, { min: 1 })),
  // One shard is the same as an unsharded queue.
  shards: (value, report, path) => (value === 1 ? undefined : shardCount(value, report, path)),
};
