import { Redis } from '@millrace/redis';

/** Options of ioredis; the address is filled in. */
export type ClientOptions = Omit<Redis['options'], 'host' | 'port' | 'path' | 'replyMapping'>;

/**
 * When a client is closed after its connection was lost, ioredis keeps a timer that is never cleared: by default it keeps the process
 * alive for two seconds.
 */
export const disconnectTimeout = 50;

/** The clients of one server, so that they can be closed with it. */
export class RedisClients {
  readonly #open = new Set<{ disconnect(): void }>();

  /** Connects a client that reconnects every 50 ms while its server is away. */
  connect(address: { port: number; password?: string | undefined }, options: ClientOptions): Redis {
    const { port, password } = address;
    const client = new Redis({
      host: '127.0.0.1',
      port,
      ...(password === undefined ? {} : { password }),
      retryStrategy: () => 50,
      disconnectTimeout,
      ...options,
    });
    return this.track(client);
  }

  track<T extends { disconnect(): void; on(event: 'error', listener: () => void): unknown }>(client: T): T {
    // The fault tools make clients lose the server: each command reports that to its caller, so the event is ignored.
    client.on('error', () => {});
    this.#open.add(client);
    return client;
  }

  close(): void {
    for (const client of this.#open) client.disconnect();
    this.#open.clear();
  }
}
