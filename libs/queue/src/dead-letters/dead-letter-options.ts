import {
  abortSignal,
  boolean,
  custom,
  type Headers,
  integer,
  nameList,
  type OptionReader,
  type OptionReaders,
  optional,
  type Rate,
  rateOption,
  resolveOptions,
} from '@millrace/core';
import type { FrameInput } from '../model/message-frame.js';
import { objectName } from '../model/queue-settings.js';
import { routingKeyProblem } from '../model/routing-key.js';
import type { QueuedMessage } from '../queued-message.js';

/** Which dead letters to process. */
export interface DeadLetterChoice<T = unknown> {
  /** Only these ids. Default: all that are in the queue when the call begins. */
  readonly ids?: readonly string[] | undefined;
  /**
   * Only those for which it returns true. Default: all. If it throws, or returns another value than true or false, the call ends
   * with that error; what was done stays done.
   */
  readonly filter?: ((message: QueuedMessage<T>) => boolean) | undefined;
}

/** Which dead letters to send back, and how. */
export interface RedriveOptions<T = unknown> extends DeadLetterChoice<T> {
  /** The target. Default: each goes back to the queue where it died last, by its history. */
  readonly to?: { readonly queue: string } | { readonly exchange: string; readonly routingKey?: string } | undefined;
  /**
   * Further queues that a history may name, besides those that declare this queue for their dead letters, and the one that it is named
   * after. Anyone who can write to the dead-letter queue can write a history; a letter that names another queue is `stuck`. Default: none.
   */
  readonly allowQueues?: readonly string[] | undefined;
  /** Most messages per interval. Default: no limit. */
  readonly rate?: Rate | undefined;
  /**
   * Most messages per second.
   *
   * @deprecated `maxPerSecond: n` is `rate: { limit: n, intervalMs: 1000 }`.
   */
  readonly maxPerSecond?: number | undefined;
  /** Most messages in all. Default: no limit. */
  readonly limit?: number | undefined;
  /** Messages that were sent back this many times are left: a bug is not fixed by repeating. Default 3. */
  readonly maxRedrives?: number | undefined;
  /** Only reports what would be done. Default false. */
  readonly dryRun?: boolean | undefined;
  /** Ends the redrive between two messages where there is a rate, else between two pieces of up to 250; the report has what was done. */
  readonly signal?: AbortSignal | undefined;
}

/** What to change in a dead letter; the rest stays. */
export type DeadLetterChange = Pick<Partial<FrameInput>, 'headers' | 'routingKey'> & { readonly payload?: unknown };

/** A list of ids of messages. */
export const ids = custom<readonly string[]>([], 'a list of ids', (value): value is string[] => {
  return Array.isArray(value) && value.every((id) => typeof id === 'string');
});

const choiceReaders: OptionReaders<DeadLetterChoice> = {
  ids: optional(ids),
  filter: optional(
    custom(
      () => true,
      'a function',
      (value): value is () => boolean => typeof value === 'function',
    ),
  ),
};

const changeReaders: OptionReaders<DeadLetterChange> = {
  payload: (value) => value,
  headers: optional(custom({}, 'an object', (value): value is Headers => typeof value === 'object' && value !== null)),
  routingKey: optional((value, report) => {
    const problem = routingKeyProblem(value);
    if (problem !== undefined) report(problem);
    return typeof value === 'string' ? value : '';
  }),
};

/** @throws {OptionsError} with every problem */
export function checkedChoice<T>(choice: DeadLetterChoice<T>): DeadLetterChoice<T> {
  return resolveOptions('purge', choiceReaders, choice);
}

/** @throws {OptionsError} with every problem */
export function checkedChange(id: string, change: DeadLetterChange): DeadLetterChange {
  return resolveOptions(`change of message ${id}`, changeReaders, change);
}

/** The options of a redrive with their defaults. */
export type ResolvedRedrive<T = unknown> = RedriveOptions<T> & {
  readonly maxRedrives: number;
  readonly dryRun: boolean;
};

/** @throws {OptionsError} with every problem */
export function checkedRedrive<T>(options: RedriveOptions<T>): ResolvedRedrive<T> {
  return resolveOptions(
    'redrive',
    {
      ...choiceReaders,
      to: optional(destination),
      allowQueues: optional(nameList('queue')),
      rate: rateOption(options),
      maxPerSecond: optional(integer(1, { min: 1 })),
      limit: optional(integer(0)),
      maxRedrives: integer(3),
      dryRun: boolean(false),
      signal: abortSignal(),
    },
    options,
  );
}

const destination: OptionReader<NonNullable<RedriveOptions['to']>> = (value, report, path) => {
  const given: Record<string, unknown> = typeof value === 'object' && value !== null ? { ...value } : {};
  const { queue, exchange, routingKey, ...others } = given;
  for (const key of Object.keys(others)) report(`unknown option ${path}.${key}`, 'unknown');
  if ((exchange === undefined) === (queue === undefined) || (queue !== undefined && routingKey !== undefined))
    report(`${path} must be { queue } or { exchange, routingKey? }`);
  if (queue !== undefined) return { queue: objectName('queue')(queue, report, `${path}.queue`) };
  const problem = routingKey === undefined ? undefined : routingKeyProblem(routingKey);
  if (problem !== undefined) report(`${path}.routingKey: ${problem}`);
  // The default exchange sends to the queue that the routing key names.
  const name = exchange === '' ? '' : objectName('exchange')(exchange ?? '?', report, `${path}.exchange`);
  return typeof routingKey === 'string' ? { exchange: name, routingKey } : { exchange: name };
};
