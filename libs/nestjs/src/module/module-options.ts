import {
  boolean,
  type Codec,
  custom,
  didYouMean,
  duration,
  nameProblem,
  type OptionReader,
  type OptionReaders,
  OptionsError,
  object,
  oneOf,
  resolveOptions,
} from '@millrace/core';
import { type LogSettings, type ProducerOptions, resolveLogSettings, resolveProducerOptions } from '@millrace/log';
import { type BrokerOptions, resolveBrokerOptions } from '@millrace/queue';
import { type ConnectionInput, resolveConnectionOptions } from '@millrace/redis';
import { defaultConnection } from '../decorators/tokens.js';
import type { ClassValidation } from '../pipeline/payload-validation.js';
import { noTopology, type Topology, throwProblems, topologyReaders } from '../topology/topology.js';

/** The broker's options that the module does not set itself. */
export type PublisherOptions = Partial<Omit<BrokerOptions, 'codecs' | 'events'>>;

/** One connection to Redis and everything that uses it. */
export interface MillraceModuleOptions extends Topology {
  /** The address of Redis, and the prefix of all keys: see `ConnectionOptions` of @millrace/redis. */
  readonly connection: ConnectionInput;
  /** Codecs in addition to JSON and raw bytes. */
  readonly codecs: readonly Codec[];
  /** How records are sent to topics: acknowledgement, batching, deadlines. See `ProducerOptions` of @millrace/log. */
  readonly producer: Partial<ProducerOptions>;
  /**
   * How old records and groups are found and removed (`retentionIntervalMs`, `offsetsRetentionMs`), and how much memory compressed batches
   * may take while they are decoded (`maxDecodedBytes`). See `LogOptions` of @millrace/log.
   */
  readonly log: Partial<LogSettings>;
  /** How messages are published to exchanges and queues: deadlines and bounds. See `BrokerOptions` of @millrace/queue. */
  readonly publisher: PublisherOptions;
  /**
   * What to do when Redis is away at start. `false` (default): the start fails after `connection.connectTimeoutMs`, with a clear error.
   * `true`: the start waits until Redis is there. `'background'`: the application starts; topology is declared and consumers start once
   * Redis is there, until then health is down and publishes fail.
   */
  readonly waitForRedis: boolean | 'background';
  /**
   * When consumers start. `ready` (default): when every `onApplicationBootstrap` hook of the application has run.
   * `listening`: when the HTTP server listens. `manual`: with `app.get(Consumers).start()`.
   */
  readonly startConsumers: 'ready' | 'listening' | 'manual';
  /**
   * How long handlers in flight may take to end at shutdown, in ms; then they are abandoned and their messages are handled again
   * elsewhere. What is left of it then, at least one second, is for pending sends and publishes. Default 8,000.
   */
  readonly shutdownDeadlineMs: number;
  /**
   * What to do with a topic or queue that is already declared with other settings. `refuse` (default): the start fails and lists every
   * difference. `apply`: settings that can be changed in use are changed.
   */
  readonly onTopologyChange: 'refuse' | 'apply';
  /** Whether global guards, pipes, interceptors and filters run on handlers too. Default false: most are made for HTTP. */
  readonly globalEnhancers: boolean;
  /** How payload classes are checked. */
  readonly validation: ClassValidation;
  /**
   * Trace everything that is sent and handled, with OpenTelemetry's conventions for messaging: needs the package
   * `@opentelemetry/api` and a registered SDK. Default false.
   */
  readonly tracing: boolean;
  /** Write events (dead letters, retries, lost leases, outages) to Nest's logger. Default true. */
  readonly logging: boolean;
}

/** The options as users write them: only `connection` is required. */
export type MillraceModuleInput = Partial<Omit<MillraceModuleOptions, 'connection'>> & {
  readonly connection: ConnectionInput;
};

/** @throws {OptionsError} with every problem of all parts */
export function resolveModuleOptions(input: MillraceModuleInput, name: string): MillraceModuleOptions {
  return resolveOptions<MillraceModuleOptions>(`MillraceModule (connection "${name}")`, readers, input);
}

/** The options of `forFeature`: lists, and the connection's name. */
interface FeatureOptions extends Topology {
  readonly connection: string;
}

/** @throws {OptionsError} with all problems */
export function resolveFeatureOptions(input: unknown): FeatureOptions {
  const name: OptionReader<string> = (value) => (value ?? defaultConnection) as string;
  const options = resolveOptions<FeatureOptions>(
    'MillraceModule.forFeature',
    { connection: name, ...topologyReaders(noTopology) },
    input,
  );
  assertConnectionName(options.connection);
  return options;
}

const asyncOptions = ['name', 'imports', 'inject', 'useFactory', 'useClass', 'useExisting', 'extraProviders'];
const asyncSources = ['useFactory', 'useClass', 'useExisting'];

/** @throws {OptionsError} an option of `forRootAsync` is unknown, or there is not exactly one source of options */
export function assertAsyncOptions(input: object, name: string): void {
  const given = Object.entries(input).filter(([, value]) => value !== undefined);
  const keys = given.map(([key]) => key);
  const unknown = keys.filter((key) => !asyncOptions.includes(key));
  const problems = unknown.map((key) => `unknown option ${key}${didYouMean(key, asyncOptions)}`);
  const sources = keys.filter((key) => asyncSources.includes(key));
  if (sources.length !== 1) problems.push('exactly one of useFactory, useClass and useExisting must be given');
  throwProblems(`MillraceModule.forRootAsync (connection "${name}")`, problems);
}

/**
 * The argument of `forRoot` and `forRootAsync`, with the connection's name. Missing options are treated as empty.
 *
 * @throws {OptionsError} the connection's name is invalid
 */
export function withConnectionName<O extends { readonly name?: string | undefined }>(
  options: O,
): O & { readonly name: string } {
  const name = options?.name ?? defaultConnection;
  assertConnectionName(name);
  return { ...options, name };
}

function assertConnectionName(name: string): void {
  const problem = nameProblem('connection', name);
  if (problem !== undefined) throw new OptionsError('MillraceModule', [problem]);
}

const connection: OptionReader<ConnectionInput> = (value, report, path) => {
  const given = isObject(value) ? value : undefined;
  if (given === undefined) report(`${path} must be an object: { url: 'redis://host:6379', prefix: 'my-app' }`);
  else collectProblems(() => resolveConnectionOptions(given), report, path);
  return given ?? {};
};

const waitForRedis: OptionReader<boolean | 'background'> = (value, report, path) => {
  if (value === undefined) return false;
  if (typeof value === 'boolean' || value === 'background') return value;
  report(`${path} must be true, false or 'background'`);
  return false;
};

/** Options that another lib checks: its problems are reported here. */
function checkedBy<T extends object>(check: (value: T) => unknown): OptionReader<T> {
  return (value, report, path) => {
    const given = value ?? {};
    if (!isObject(given)) report(`${path} must be an object`);
    else collectProblems(() => check(given as T), report, path);
    return given as T;
  };
}

const validation = object<ClassValidation>({
  whitelist: boolean(false),
  forbidNonWhitelisted: boolean(false),
  enableImplicitConversion: boolean(false),
});

const readers: OptionReaders<MillraceModuleOptions> = {
  connection,
  codecs: custom<readonly Codec[]>([], 'a list of codecs', (value): value is readonly Codec[] => Array.isArray(value)),
  producer: checkedBy<Partial<ProducerOptions>>(resolveProducerOptions),
  log: checkedBy<Partial<LogSettings>>(resolveLogSettings),
  publisher: checkedBy<PublisherOptions>(resolveBrokerOptions),
  waitForRedis,
  startConsumers: oneOf(['ready', 'listening', 'manual'], 'ready'),
  shutdownDeadlineMs: duration(8000),
  onTopologyChange: oneOf(['refuse', 'apply'], 'refuse'),
  globalEnhancers: boolean(false),
  validation,
  tracing: boolean(false),
  logging: boolean(true),
  ...topologyReaders(noTopology),
};

/** Reports the problems of a part with its own resolver, each with the part's path. */
export function collectProblems(check: () => unknown, report: (problem: string) => void, path: string): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error;
    for (const problem of error.problems) report(`${path}: ${problem}`);
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
