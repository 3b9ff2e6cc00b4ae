import { Overview } from '@millrace/admin';
import { RedisConnection } from '@millrace/redis';
import { type Sample, type Status, statusOf } from './status.js';

const handledLine = /^millrace_messages_acknowledged_total\{[^}]*source="queue:([^"]+)"[^}]*\} (\d+)$/gm;

/** Reads how everything stands: from Redis, and from the services what they have handled. */
export class StatusReader {
  readonly #connection: RedisConnection;
  readonly #overview: Overview;
  readonly #services: readonly string[];
  #before: Sample | undefined;

  private constructor(connection: RedisConnection, services: readonly string[]) {
    this.#connection = connection;
    this.#overview = new Overview(connection);
    this.#services = services;
  }

  /** @throws {UnavailableError} Redis is away */
  static async open(redisUrl: string, services: readonly string[]): Promise<StatusReader> {
    const connection = await new RedisConnection({ url: redisUrl, name: 'demo' }).open();
    return new StatusReader(connection, services);
  }

  /** Undefined while Redis is away. */
  async read(): Promise<Status | undefined> {
    if (!this.#connection.isUp) return undefined;
    try {
      const [snapshot, handled] = await Promise.all([this.#overview.read(), handledBy(this.#services)]);
      const sample: Sample = { snapshot, handled, at: performance.now() };
      const status = statusOf(sample, this.#before);
      this.#before = sample;
      return status;
    } catch {
      return undefined;
    }
  }

  close(): void {
    this.#connection.close();
  }
}

/** Queue → messages handled, as the services tell Prometheus. */
async function handledBy(services: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const pages = await Promise.all(services.map(metricsOf));
  const handled = new Map<string, number>();
  for (const [, queue = '', count] of pages.join('\n').matchAll(handledLine)) {
    handled.set(queue, (handled.get(queue) ?? 0) + Number(count));
  }
  return handled;
}

async function metricsOf(service: string): Promise<string> {
  try {
    return await (await fetch(`${service}/metrics`, { signal: AbortSignal.timeout(2000) })).text();
  } catch {
    return '';
  }
}
