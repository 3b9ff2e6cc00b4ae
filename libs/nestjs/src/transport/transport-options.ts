import {
  duration,
  integer,
  nameList,
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
 * The format of messages. `nest`: `{ pattern, data }`, like Nest's own transports. `raw`: only the data, with the pattern as routing key,
 * for producers and consumers without Nest.
 */
export const envelopes = ['nest', 'raw'] as const;
/** `nest`: the data in Nest's packet. `raw`: only the data. */
export type Envelope = (typeof envelopes)[number];

/** Options on which server and client must agree. */
interface SharedTransportOptions {
  /** Options of a connection for the transport, or the connection of a MillraceModule: `app.get(Millrace)`. */
  readonly connection: ConnectionInput | Millrace;
  /** The topic exchange to which events are published; requests go to `<exchange>.requests`. Default `nest`. */
  readonly exchange: string;
}

/** The options of `MillraceServer`. */
export interface MillraceServerOptions extends SharedTransportOptions {
  /**
   * The service's name: instances with the same name share the work. Events wait in the queue of this name, requests in
   * `<queue>.requests`.
   */
  readonly queue: string;
  /** The envelope. Default `auto`: both are read. An object with a property `data` or `pattern` counts as an envelope. */
  readonly envelope: Envelope | 'auto';
  /** The retry policy of events; an event handler's third decorator argument overrides it. Default: three retries, then a dead letter. */
  readonly retry?: Partial<RetryPolicy> | false | undefined;
  /** How many events, and how many requests, are handled simultaneously. Default 10. */
  readonly concurrency: number;
  /** How long a handler may take, in ms; 0 or `Infinity`: without limit. Default 1,800,000, as for a queue's consumer. */
  readonly handlerTimeoutMs?: number | undefined;
  /** How long a handler may run after that, when its signal was aborted, before its attempt is given up, in ms. Default 5,000. */
  readonly abortGraceMs?: number | undefined;
  /** Queues that a request may name in its `replyTo`, in addition to the reply stream of a `MillraceClient`. Default: none. */
  readonly replyQueues?: readonly string[] | undefined;
  /**
   * How long handlers in flight may take at `close()`, in ms; over a connection of its own, what is left of it then, at least one second,
   * is for pending sends and publishes. Default: the connection's `shutdownDeadlineMs`.
   */
  readonly shutdownDeadlineMs?: number | undefined;
}

/** The options of `MillraceClient`. */
export interface MillraceClientOptions extends SharedTransportOptions {
  /** The envelope. Default `nest`. */
  readonly envelope: Envelope;
  /** How long a request waits for its first reply, and then for each further one, in ms. Default 30,000. */
  readonly timeoutMs: number;
}

/** The options as users write them: connection, queue, and any others. */
export type MillraceServerInput = Pick<MillraceServerOptions, 'connection' | 'queue'> & Partial<MillraceServerOptions>;
/** The options as users write them: the connection, and any others. */
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
  replyQueues: optional(nameList('queue')),
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
