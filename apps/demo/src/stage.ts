import { Events } from '@millrace/delivery';
import { Log } from '@millrace/log';
import { Broker } from '@millrace/queue';
import { type ConnectionInput, RedisConnection } from '@millrace/redis';

/** A way to Redis as a service of its own would have it. */
export interface Client {
  readonly connection: RedisConnection;
  readonly events: Events;
  readonly log: Log;
  readonly broker: Broker;
}

/** What a scenario is played on: it says what happens and keeps the promises' count. */
export class Stage {
  readonly #write: (line: string) => void;
  readonly #startedAt = performance.now();
  readonly #clients: Client[] = [];
  #broken = 0;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  /** Whether every promise was kept so far. */
  get isKept(): boolean {
    return this.#broken === 0;
  }

  /** Something happened. */
  say(text: string): void {
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(1);
    this.#write(`${seconds.padStart(6)} s  ${text}`);
  }

  /** Something was promised, and this is what became of it. */
  promised(text: string, isKept: boolean): void {
    if (!isKept) this.#broken++;
    this.say(`${isKept ? 'kept:  ' : 'BROKEN:'} ${text}`);
  }

  /** `deliveryTimeoutMs`: how long a publish to a queue may take. */
  async connect(input: ConnectionInput, { deliveryTimeoutMs = 10_000 } = {}): Promise<Client> {
    const connection = await new RedisConnection(input).open();
    const events = new Events();
    const client = {
      connection,
      events,
      log: new Log(connection, { events }),
      broker: new Broker(connection, { events, deliveryTimeoutMs }),
    };
    this.#clients.push(client);
    return client;
  }

  /** Closes what was connected. */
  async close(): Promise<void> {
    await Promise.allSettled(
      this.#clients.flatMap(({ log, broker }) => [log.close(), broker.close({ deadlineMs: 1000 })]),
    );
    for (const { connection } of this.#clients) connection.close();
  }
}
