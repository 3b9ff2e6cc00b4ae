import { Events } from '@millrace/delivery';
import { Log } from '@millrace/log';
import { Broker } from '@millrace/queue';
import { type ConnectionInput, RedisConnection } from '@millrace/redis';

export const roles = [
  'log-operator',
  'log-producer',
  'log-consumer',
  'queue-operator',
  'queue-producer',
  'queue-consumer',
] as const;
export type Role = (typeof roles)[number];

/** How the user of a role reaches Redis. */
export type ReachAs = (role: Role) => ConnectionInput;

/** Opens Logs and Brokers over connections of the roles' users, and keeps the errors of calls that no test awaits. */
export class RolePlay {
  readonly errors: unknown[] = [];
  readonly #reachAs: ReachAs;
  readonly #toClose: (() => Promise<void>)[] = [];

  constructor(reachAs: ReachAs) {
    this.#reachAs = reachAs;
  }

  async log(role: Role): Promise<Log> {
    const connection = await this.#connect(role);
    // An operator keeps the topics' limits; the others have not the right.
    const log = new Log(connection, { events: this.#events(), retentionIntervalMs: role === 'log-operator' ? 50 : 0 });
    this.#toClose.push(async () => {
      await log.close();
      connection.close();
    });
    return log;
  }

  async broker(role: Role): Promise<Broker> {
    const connection = await this.#connect(role);
    const broker = new Broker(connection, { events: this.#events(), upkeep: role === 'queue-operator' });
    this.#toClose.push(async () => {
      await broker.close();
      connection.close();
    });
    return broker;
  }

  async close(): Promise<void> {
    for (const close of this.#toClose.toReversed()) await close();
  }

  async #connect(role: Role): Promise<RedisConnection> {
    return new RedisConnection({ name: role, ...this.#reachAs(role) }).open();
  }

  #events(): Events {
    const events = new Events();
    events.on('background-error', ({ error }) => this.errors.push(error));
    return events;
  }
}
