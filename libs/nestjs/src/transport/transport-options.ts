import {
  custom,
  duration,
  integer,
  nameProblem,
  type OptionReader,
  type OptionReaders,
  OptionsError,
  oneOf,
  optional,
  type RetryPolicy,
  required,
  resolveOptions,
} from '@millrace/core';
import { type ConnectionInput } from '@millrace/redis';
import { Millrace } from '../module/millrace.js';
import { resolveModuleOptions } from '../module/module-options.js';

/**
 * How data travels. `nest`: as `{ pattern, data }`, like Nest's own transports. `raw`: the data alone, with the pattern as
 * routing key, so that producers and consumers without Nest understand it.
 */
export const envelopes = ['nest', 'raw'] as const;
/** `nest`: Nest's packet around the data. `raw`: the data alone. */
export type Envelope = (typeof envelopes)[number];

/** What server and client must agree on. */
interface SharedTransportOptions {
  /** A connection of the transport's own, or that of a MillraceModule: `app.get(Millrace)`. */
  readonly connection: ConnectionInput | Millrace;
  /** The topic exchange events are published to; requests go to `<exchange>.requests`. Default `nest`. */
  readonly exchange: string;
}

/** How `MillraceServer` takes part. */
export interface MillraceServerOptions extends SharedTransportOptions {
  /** The service's name: instances that share it share the work. Events wait in the queue of this name, requests in `<queue>.requests`. */
  readonly queue: string;
  /** Default `auto`: both are understood. An object with a property `data` or `pattern` counts as an envelope. */
  readonly envelope: Envelope | 'auto';
  /** Of events; an event handler's third decorator argument goes before it. Default: three retries, then dead letters. */
  readonly retry?: Partial<RetryPolicy> | false | undefined;
  /** How many events, and how many requests, are handled simultaneously. Default 10. */
  readonly concurrency: number;
  /** How long a handler may take, in ms; 0 or `Infinity`: for ever. Default 1,800,000, that of a queue's consumer. */
  readonly handlerTimeoutMs?: number | undefined;
  /** How long a handler may go on after that, when its signal was aborted, before its attempt is given up. Default 5,000. */
  readonly abortGraceMs?: number | undefined;
  /** Queues that a request may name in its `replyTo`, beside the reply stream of a `MillraceClient`. Default: none. */
  readonly replyQueues?: readonly string[] | undefined;
  /** How long handlers in flight may take at `close()`. Default: the connection's `shutdownDeadlineMs`. */
  readonly shutdownDeadlineMs?: number | undefined;
}

/** How `MillraceClient` sends. */
export interface MillraceClientOptions extends SharedTransportOptions {
  /** Default `nest`. */
  readonly envelope: Envelope;
  /** How long a request may wait for its first reply, and then for each further one. Default 30,000. */
  readonly timeoutMs: number;
}

/** The options as users write them: connection, queue, and what differs from the defaults. */
export type MillraceServerInput = Pick<MillraceServerOptions, 'connection' | 'queue'> & Partial<MillraceServerOptions>;
/** The options as users write them: the connection, and what differs from the defaults. */
export type MillraceClientInput = Pick<MillraceClientOptions, 'connection'> & Partial<MillraceClientOptions>;

/** @throws {OptionsError} with every problem */
export function resolveServerOptions(input: MillraceServerInput): MillraceServerOptions {
  return resolveOptions<MillraceServerOptions>('MillraceServer', serverReaders, input);
}

/** @throws {OptionsError} with every problem */
export function resolveClientOptions(input: MillraceClientInput): MillraceClientOptions {
  return resolveOptions<MillraceClientOptions>('MillraceClient', clientReaders, input);
}

const connection: OptionReader<ConnectionInput | Millrace> = (value, report, path) => {
  if (value instanceof Millrace) return value;
  try {
    resolveModuleOptions({ connection: (value ?? {}) as ConnectionInput }, 'transport');
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error;
    for (const problem of error.problems) report(problem);
  }
  if (value === undefined) report(`${path} is missing`);
  return (value ?? {}) as ConnectionInput;
};

const retry: OptionReader<Partial<RetryPolicy> | false | undefined> = (value) => value as Partial<RetryPolicy> | false;

const shared: OptionReaders<SharedTransportOptions> = { connection, exchange: named('exchange', 'nest') };

const serverReaders: OptionReaders<MillraceServerOptions> = {
  ...shared,
  queue: required(named('queue', '')),
  envelope: oneOf([...envelopes, 'auto'], 'auto'),
  retry,
  concurrency: integer(10, { min: 1, max: 1000 }),
  handlerTimeoutMs: optional(duration(0)),
  abortGraceMs: optional(duration(0)),
  replyQueues: optional(
    custom<readonly string[]>([], 'a list of names of queues', (value): value is string[] => Array.isArray(value)),
  ),
  shutdownDeadlineMs: optional(duration(0)),
};

const clientReaders: OptionReaders<MillraceClientOptions> = {
  ...shared,
  envelope: oneOf(envelopes, 'nest'),
  timeoutMs: duration(30_000, { min: 1 }),
};

function named(kind: string, fallback: string): OptionReader<string> {
  return (value, report) => {
    if (value === undefined) return fallback;
    const problem = nameProblem(kind, value);
    if (problem !== undefined) report(problem);
    return String(value);
  };
}
