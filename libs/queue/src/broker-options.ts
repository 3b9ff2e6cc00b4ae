import {
  boolean,
  type Codec,
  codecProblem,
  guardedCodec,
  integer,
  jsonCodec,
  type OptionReader,
  type OptionReaders,
  resolveOptions,
  shown,
} from '@millrace/core';
import { Events } from '@millrace/delivery';

/** How a Broker publishes, and which codecs it has. */
export interface BrokerOptions {
  /** How bodies are encoded unless a message says otherwise. Default JSON. */
  readonly codec: Codec;
  /** Further codecs that messages may have been written with. */
  readonly codecs: readonly Codec[];
  /** Where events are emitted. Default: an emitter of its own. */
  readonly events: Events;
  /**
   * Longest time from publishing to the receipt or an error, in ms. Declarations and queue handles wait as long for a Redis that is away.
   * Default 30,000.
   */
  readonly deliveryTimeoutMs: number;
  /**
   * How many replicas must have a message before its receipt (on disk where Redis can tell: Redis 7.2 with AOF), so that a
   * failover does not lose what was confirmed. Default 0: only the master. With fewer replicas the publish fails with
   * `not-enough-replicas`, and the message may be written.
   */
  readonly minReplicas: number;
  /** How long to wait for replicas, in ms. Default 3,000; at most 5,000. */
  readonly replicaTimeoutMs: number;
  /** Largest message, its headers and properties included. Default 16 MiB. */
  readonly maxMessageBytes: number;
  /** Most messages that wait for their receipts; further publishes wait for room. Default 50,000. */
  readonly maxBufferedMessages: number;
  /** Most bytes of messages that wait for their receipts. Default 64 MiB. */
  readonly maxBufferedBytes: number;
  /**
   * Whether this Broker takes its turn in the upkeep of queues that have no consumers (expiry, dead letters, idle
   * queues). Default true; set false where its Redis user may not change the topology: another process must do it then.
   */
  readonly upkeep: boolean;
}

/** Checks the options and fills in defaults. @throws {OptionsError} with every problem */
export function resolveBrokerOptions(input: Partial<BrokerOptions>): BrokerOptions {
  const options = resolveOptions<BrokerOptions>('broker', readers, input);
  return Object.freeze({ ...options, codec: guardedCodec(options.codec), codecs: options.codecs.map(guardedCodec) });
}

const codec: OptionReader<Codec> = (value, report, path) => {
  const problem = codecProblem(value);
  if (problem !== undefined) report(`${path}: ${problem}`);
  return value as Codec;
};

const readers: OptionReaders<BrokerOptions> = {
  codec: (value, report, path) => (value === undefined ? jsonCodec : codec(value, report, path)),
  codecs: (value, report, path) => {
    if (value === undefined) return [];
    if (Array.isArray(value)) return value.map((one, index) => codec(one, report, `${path}[${index}]`));
    report(`${path} must be a list of codecs, got ${shown(value)}`);
    return [];
  },
  events: (value, report, path) => {
    if (value === undefined) return new Events();
    if (value instanceof Events) return value;
    report(`${path} must be Events of @millrace/delivery`);
    return new Events();
  },
  deliveryTimeoutMs: integer(30_000, { min: 1 }),
  minReplicas: integer(0),
  replicaTimeoutMs: integer(3000, { min: 1, max: 5000 }),
  maxMessageBytes: integer(16 * 1024 * 1024, { min: 1 }),
  maxBufferedMessages: integer(50_000, { min: 1 }),
  maxBufferedBytes: integer(64 * 1024 * 1024, { min: 1 }),
  upkeep: boolean(true),
};
