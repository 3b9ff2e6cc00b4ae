import { Events } from '@millrace/delivery';
import { Log, type LogOptions, type LogRecord, type TopicInput } from '@millrace/log';
import { type ConnectionInput, RedisConnection } from '@millrace/redis';
import { type RedisServer, type RedisServerOptions, startRedis, stopEverything } from '@millrace/testing';

/** A Log on a Redis of its own, and further Logs as other processes would have them. */
export class LogOnRedis {
  readonly #opened: { log: Log; connection: RedisConnection }[] = [];
  #topics = 0;

  private constructor(
    readonly server: RedisServer,
    private readonly first: { log: Log; connection: RedisConnection },
  ) {
    this.#opened.push(first);
  }

  static async start(options: RedisServerOptions = {}, logOptions?: LogOptions): Promise<LogOnRedis> {
    const server = await startRedis(options);
    return new LogOnRedis(server, await openLog(server.connection, logOptions));
  }

  get log(): Log {
    return this.first.log;
  }

  get connection(): RedisConnection {
    return this.first.connection;
  }

  /** A client that may do everything, also when the Log's own user may not. */
  get admin(): ReturnType<RedisServer['client']> {
    this.#admin ??= this.server.client();
    return this.#admin;
  }
  #admin: ReturnType<RedisServer['client']> | undefined;

  async another(input: ConnectionInput = {}, options?: LogOptions): Promise<Log> {
    const opened = await openLog(reaching(input) ? input : { ...this.server.connection, ...input }, options);
    this.#opened.push(opened);
    return opened.log;
  }

  /** A topic that no other test has. */
  async topic(settings: Partial<TopicInput> = {}): Promise<string> {
    const { name } = await this.log.declareTopic({ name: `topic-${++this.#topics}`, ...settings });
    return name;
  }

  async records<T>(topic: string, partition = 0): Promise<LogRecord<T>[]> {
    const records: LogRecord<T>[] = [];
    for await (const record of this.log.read<T>({ topic, partition })) records.push(record);
    return records;
  }

  async stop(): Promise<void> {
    for (const { log, connection } of this.#opened) {
      await log.close();
      connection.close();
    }
    await stopEverything();
  }
}

/** Whether it says itself how Redis is reached: through a proxy, say. */
function reaching({ url, cluster, sentinel }: ConnectionInput): boolean {
  return (url ?? cluster ?? sentinel) !== undefined;
}

export async function openLog(
  input: ConnectionInput,
  options?: LogOptions,
): Promise<{ log: Log; connection: RedisConnection }> {
  const connection = await new RedisConnection(input).open();
  return { connection, log: new Log(connection, { events: new Events(), ...options }) };
}

export function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
