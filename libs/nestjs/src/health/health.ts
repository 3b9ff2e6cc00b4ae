import { lagMsOf, lagOf, Overview, type Snapshot } from '@millrace/admin';
import { within } from '@millrace/core';
import { Injectable } from '@nestjs/common';
import type { ConsumerHandle } from '../consumers/consumer-handle.js';
import { Consumers } from '../consumers/consumers.js';
import type { Millrace } from '../module/millrace.js';
import { type HealthOptions, resolveHealthOptions } from './health-options.js';
import { missingSources } from './missing-sources.js';

/** `up`: all is well. `degraded`: Redis is there, but something is late or does not run. `down`: Redis is away. */
export type HealthStatus = 'up' | 'degraded' | 'down';

/**
 * The problems, and the figures behind them. `problems` is empty when all is well. Nothing in it names a host: who asks for it may be a
 * stranger. The application's log has the reasons.
 */
export interface HealthReport {
  /** The worst status of all checks. */
  readonly status: HealthStatus;
  /** The problems, as sentences. */
  readonly problems: readonly string[];
  /** Records the groups of this application's handlers have still to read; absent when Redis is away. */
  readonly lag?: number;
  /** The longest wait of a record that a group will read next, in ms. */
  readonly lagMs?: number;
  /** The longest wait of a message in a queue of this application's handlers, in ms. */
  readonly oldestMessageMs?: number;
}

/** The shape of Terminus' results: `health.check([() => millraceHealth.isHealthy('millrace')])`. */
export type HealthIndicatorResult = Record<string, Omit<HealthReport, 'status'> & { readonly status: HealthStatus }>;

/**
 * The health of the application's connections and handlers. `down`: Redis is away. `degraded`: Redis is there, but a consumer falls
 * behind or stands still. Each call reads figures from Redis, so cache the result if you call it often.
 */
@Injectable()
export class MillraceHealth {
  readonly #consumers: Consumers;

  constructor(consumers: Consumers) {
    this.#consumers = consumers;
  }

  /** For Terminus. @throws {OptionsError} */
  async isHealthy(key = 'millrace', options: Partial<HealthOptions> = {}): Promise<HealthIndicatorResult> {
    const { degradedAs } = resolveHealthOptions(options);
    const report = await this.check(options);
    return { [key]: { ...report, status: report.status === 'degraded' ? degradedAs : report.status } };
  }

  /** Without Terminus. @throws {OptionsError} */
  async check(input: Partial<HealthOptions> = {}): Promise<HealthReport> {
    const options = resolveHealthOptions(input);
    const wanted = this.#consumers.connections.filter(
      ({ name }) => options.connection === undefined || name === options.connection,
    );
    const reports = await Promise.all(
      wanted.map(async (millrace) => {
        const handles = this.#consumers.all.filter((handle) => handle.millrace === millrace);
        const { connection, state } = millrace;
        if (connection.downKind !== undefined) return unavailable(millrace, connection.downKind);
        if (state !== 'ready') return unavailable(millrace, state);
        const read = await within(readAll(millrace), options.timeoutMs);
        if (read === undefined) return unavailable(millrace, `no reply within ${options.timeoutMs} ms`);
        return read === 'failed' ? unavailable(millrace, 'the reply is an error') : judge(read, handles, options);
      }),
    );
    return worstOf(reports);
  }
}

/** The reason of a failure is for the log. */
async function readAll({ connection, events }: Millrace): Promise<Snapshot | 'failed'> {
  try {
    return await new Overview(connection).read();
  } catch (error) {
    events.emit('background-error', { duty: 'health check', error });
    return 'failed';
  }
}

function judge(snapshot: Snapshot, handles: readonly ConsumerHandle[], options: HealthOptions): HealthReport {
  const problems = snapshot.unread.map(({ what }) => `${what} could not be read from Redis`);
  for (const { label, isRunning, millrace, group, standstills } of handles) {
    if (!isRunning && millrace.options.startConsumers !== 'manual') problems.push(`${label} is stopped`);
    problems.push(...standstills.map((standstill) => `group ${group}: ${standstill}`));
  }
  problems.push(...missingSources(snapshot, handles));
  const groups = new Set(handles.map(({ group }) => group));
  const queues = new Set(handles.map(({ queue }) => queue));
  let [lag, lagMs, oldestMessageMs] = [0, 0, 0];
  for (const { topic, partitions } of snapshot.topics) {
    for (const partition of partitions) {
      for (const offset of partition.groups.filter(({ group }) => groups.has(group))) {
        lag += lagOf(partition, offset);
        const partitionLagMs = lagMsOf(partition, offset);
        lagMs = Math.max(lagMs, partitionLagMs);
        if (partitionLagMs > options.maxLagMs) {
          problems.push(`group ${offset.group} is ${partitionLagMs} ms behind on ${topic.name}/${partition.partition}`);
        }
      }
    }
  }
  for (const { queue, oldestAgeMs = 0, isPaused, parked } of snapshot.queues.filter(({ queue }) => queues.has(queue))) {
    oldestMessageMs = Math.max(oldestMessageMs, oldestAgeMs);
    if (isPaused) problems.push(`queue ${queue} is paused`);
    if (parked > 0) problems.push(`queue ${queue} holds ${parked} parked messages`);
    if (oldestAgeMs > options.maxOldestMessageMs)
      problems.push(`a message has waited in queue ${queue} for ${oldestAgeMs} ms`);
  }
  if (lag > options.maxLag) problems.push(`${lag} records are still to be read`);
  return { status: problems.length === 0 ? 'up' : 'degraded', problems, lag, lagMs, oldestMessageMs };
}

function unavailable({ name }: Millrace, why: string): HealthReport {
  return { status: 'down', problems: [`Redis is unavailable (${name}): ${why}`] };
}

function worstOf(reports: readonly HealthReport[]): HealthReport {
  const status =
    (['down', 'degraded'] as const).find((word) => reports.some((report) => report.status === word)) ?? 'up';
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const known = reports.filter((report) => report.status !== 'down');
  const problems = reports.flatMap((report) => report.problems);
  if (known.length === 0) return { status, problems };
  return {
    status,
    problems,
    lag: sum(known.map(({ lag = 0 }) => lag)),
    lagMs: Math.max(...known.map(({ lagMs = 0 }) => lagMs)),
    oldestMessageMs: Math.max(...known.map(({ oldestMessageMs = 0 }) => oldestMessageMs)),
  };
}
