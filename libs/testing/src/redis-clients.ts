import { Redis } from '@millrace/redis';

/** Options of ioredis; the address is filled in. */
export type ClientOptions = Omit<Redis['options'], 'host' | 'port' | 'path' | 'replyMapping'>;

/**
 * Closing a client whose connection is already lost leaves ioredis with a timer that nothing clears: by default it
 * keeps the process alive for two seconds.
 */
export const disconnectTimeout = 50;

/** The clients that were handed out for one server, so that they can be closed with it. */
export class RedisClients {
  readonly #open = new Set<{ disconnect(): void }>();

  /** Connects a client that dials again every 50 ms when its server is away. */
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
    // Losing the server is what the fault tools are for: every command reports it to its caller, nothing else has to.
    client.on('error', () => {});
    this.#open.add(client);
    return client;
  }

  close(): void {
    for (const client of this.#open) client.disconnect();
    this.#open.clear();
  }
}
