import { brand } from './brand.js';
import { MillraceError, ServiceError } from './millrace-error.js';

export { MillraceError, ServiceError };

/** Options or a declaration are wrong. Thrown at start, with every problem found, not only the first. */
export class OptionsError extends MillraceError {
  /** The object that the options belong to: `queue "orders"`. */
  readonly subject: string;
  /** Each problem as a sentence, with the path of the option. */
  readonly problems: readonly string[];

  constructor(subject: string, problems: readonly string[]) {
    const list = problems.map((problem) => `  - ${problem}`).join('\n');
    super(`${subject}: ${problems.length === 1 ? 'one problem' : `${problems.length} problems`}\n${list}`);
    this.subject = subject;
    this.problems = problems;
  }
}

/** A message was refused before anything was written: too large, cannot be encoded, a reserved header, no such partition. */
export class InvalidMessageError extends MillraceError {}

/** Bytes could not be turned into a value, or a value into bytes. What cannot be decoded is never retried. */
export class CodecError extends MillraceError {}

/** How many problems a message lists; a payload may have thousands. */
export const maxProblems = 100;

/** A payload does not satisfy its schema. Such a message is never retried. */
export class ValidationError extends MillraceError {
  /** The first hundred problems, each with its path in the payload. */
  readonly problems: readonly string[];

  constructor(subject: string, problems: readonly string[]) {
    const named = problems.slice(0, maxProblems);
    super(`${subject} is invalid: ${named.join('; ')}${named.length < problems.length ? '; and more' : ''}`);
    this.problems = named;
  }
}

/** The topic does not exist. */
export class TopicNotFoundError extends MillraceError {
  /** @param topic the topic's name */
  constructor(readonly topic: string) {
    super(`topic "${topic}" does not exist. Declare it first: declareTopic({ name: "${topic}", partitions: … }).`);
  }
}

/** One setting of a declaration that differs: its value in Redis and the requested one. */
export interface SettingDifference {
  /** The setting's name. */
  readonly setting: string;
  /** The value in Redis. */
  readonly declared: unknown;
  /** The requested value. */
  readonly requested: unknown;
}

/** A topic was declared again with other settings. Nothing was changed. */
export class TopicConflictError extends MillraceError {
  constructor(
    /** The topic's name. */
    readonly topic: string,
    /** What differs. Nothing was changed. */
    readonly differences: readonly SettingDifference[],
  ) {
    super(
      `topic "${topic}" is already declared with other settings (${describeDifferences(differences)}). ` +
        'Declare it with the same settings, or alter the topic.',
    );
  }
}

/** The exchange or queue does not exist. */
export class TopologyNotFoundError extends MillraceError {
  constructor(
    /** The kind of the missing object. */
    readonly kind: 'exchange' | 'queue',
    /** Its name. */
    readonly object: string,
  ) {
    const [call, settings] = kind === 'queue' ? ['declareQueue', ''] : ['declareExchange', ', type: …'];
    super(`${kind} "${object}" does not exist. Declare it first: ${call}({ name: "${object}"${settings} }).`);
  }
}

/** An exchange or a queue was declared again with other settings (AMQP: 406 PRECONDITION_FAILED). Nothing was changed. */
export class TopologyConflictError extends MillraceError {
  constructor(
    /** What was declared. */
    readonly kind: 'exchange' | 'queue' | 'binding',
    /** Its name; for a binding, its source and its target. */
    readonly object: string,
    /** What differs. Nothing was changed. */
    readonly differences: readonly SettingDifference[],
  ) {
    super(
      `${kind} "${object}" is already declared with other settings (${describeDifferences(differences)}). ` +
        'Declare it with the same settings, or delete it first.',
    );
  }
}

/** Why a write was not confirmed. */
export type WriteFailure =
  | 'unavailable'
  | 'timeout'
  | 'full'
  | 'read-only'
  | 'denied'
  | 'not-enough-replicas'
  | 'rejected';

/** A write was not confirmed. `mayBeWritten` is whether the message may be in Redis nevertheless. */
export class WriteError extends ServiceError {
  /** The reason, for programs. */
  readonly failure: WriteFailure;
  /** Whether Redis may have the message nevertheless, because its reply was lost. Sending it again may then duplicate it. */
  readonly mayBeWritten: boolean;

  constructor(message: string, details: { failure: WriteFailure; mayBeWritten: boolean; cause?: unknown }) {
    const certainty = details.mayBeWritten ? 'It may have been written.' : 'It was not written.';
    super(`${message} ${certainty}`, { cause: details.cause });
    this.failure = details.failure;
    this.mayBeWritten = details.mayBeWritten;
  }

  /** 503; 500 where trying again does not help (`denied`, `rejected`). */
  override get statusCode(): number {
    return this.failure === 'denied' || this.failure === 'rejected' ? 500 : 503;
  }
}

/** A `mandatory` message reached no queue. It is not stored. */
export class UnroutableError extends MillraceError {}

/** The caller's lease is gone: another member owns the partition, or other consumers got the messages. Stop working on them. */
export class LeaseLostError extends MillraceError {}

/** A handler ran longer than its deadline. Counts as a failed attempt. */
export class DeadlineExceededError extends MillraceError {
  constructor(
    subject: string,
    /** How long the handler had, in ms. */
    readonly timeoutMs: number,
  ) {
    super(`${subject}: the handler did not end within ${timeoutMs} ms. Raise handlerTimeoutMs or call ctx.extend().`);
  }
}

/** The object was stopped; it takes no more work. */
export class ClosedError extends MillraceError {
  constructor(subject: string) {
    super(`${subject} is closed and takes no more work.`);
  }
}

/** Redis did not reply in time. Nothing was done; try again when it is back. */
export class UnavailableError extends ServiceError {}

/** The Redis server cannot give Millrace's guarantees: it is too old, or set to evict keys. */
export class UnsupportedServerError extends MillraceError {}

/** Where a value is stored in Redis, and how to repair it when it is damaged. */
export interface StoredPlace {
  /** The object it belongs to: `queue "orders"`. */
  readonly object: string;
  /** The key, followed by the field where it is a hash. */
  readonly key: string;
  /** What to do now, as a sentence. */
  readonly remedy: string;
}

/** How many problems a message lists, and their longest length: a damaged value may have any size. */
const mostDamages = 10;
const longestDamage = 300;

/**
 * A value in Redis cannot be used: another program wrote it, or it was changed by hand. It was left as it is. The message says what is
 * wrong, under which key, and how to repair it.
 */
export class DamagedStateError extends MillraceError {
  /** What is damaged: `queue "orders"`. */
  readonly object: string;
  /** The key in Redis, followed by the field where it is a hash. */
  readonly key: string;
  /** The first ten problems. */
  readonly problems: readonly string[];

  constructor({ object, key, remedy }: StoredPlace, problems: readonly string[], options?: ErrorOptions) {
    const named = problems
      .slice(0, mostDamages)
      .map((problem) => (problem.length > longestDamage ? `${problem.slice(0, longestDamage)}…` : problem));
    super(`${object}: the value in Redis under ${key} cannot be used: ${named.join('; ')}. ${remedy}`, options);
    this.object = object;
    this.key = key;
    this.problems = named;
  }
}

brand({ OptionsError, InvalidMessageError, CodecError, ValidationError, WriteError, UnroutableError, ClosedError });
brand({ TopicNotFoundError, TopicConflictError, TopologyNotFoundError, TopologyConflictError, LeaseLostError });
brand({ DeadlineExceededError, UnavailableError, UnsupportedServerError, DamagedStateError });

function describeDifferences(differences: readonly SettingDifference[]): string {
  return differences
    .map(({ setting, declared, requested }) => `${setting}: ${JSON.stringify(declared)} → ${JSON.stringify(requested)}`)
    .join(', ');
}
