import { Log } from '@millrace/log';
import { Metrics, type MetricsInput } from '@millrace/metrics';
import { Broker } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';
import type { RedisServer } from '@millrace/testing';

let count = 0;

/** A key prefix that no other test uses. */
export function ownPrefix(): string {
  return `m${process.pid}-${count++}`;
}

/**
 * What one process would have: a connection, a Log and a Broker on it, and their metrics. A scrape waits for Redis as long as a
 * busy machine may need; a spec about its deadline sets its own.
 */
export async function openMeasured(
  server: Pick<RedisServer, 'connection'>,
  prefix: string,
  options: MetricsInput = {},
  connectionOptions: { readonly commandTimeoutMs?: number } = {},
) {
  const connection = await new RedisConnection({ ...server.connection, ...connectionOptions, prefix }).open();
  const log = new Log(connection);
  const broker = new Broker(connection, { events: log.events });
  const metrics = new Metrics({ connection, events: log.events }, { scrapeTimeoutMs: 20_000, ...options });
  await metrics.start();
  const close = async (): Promise<void> => {
    await metrics.stop();
    await Promise.all([log.close(), broker.close()]);
    connection.close();
  };
  return { connection, log, broker, metrics, close };
}
