import type { Durability } from './place.js';
import { type ServerKind, serverKinds } from './server-kind.js';
import type { AbsentServer, FoundServer } from './servers/found-server.js';
import { findKafka } from './servers/kafka.js';
import { findNats } from './servers/nats.js';
import { findRabbitmq } from './servers/rabbitmq.js';
import { findRedis } from './servers/redis.js';

const finders: Record<ServerKind, (durability: Durability) => Promise<FoundServer | AbsentServer>> = {
  redis: findRedis,
  rabbitmq: findRabbitmq,
  nats: findNats,
  kafka: findKafka,
};

/** The servers of a run: looked for immediately, started when they are first needed. */
export class Servers {
  readonly #found: ReadonlyMap<ServerKind, FoundServer | AbsentServer>;

  private constructor(found: ReadonlyMap<ServerKind, FoundServer | AbsentServer>) {
    this.#found = found;
  }

  static async find(durability: Durability): Promise<Servers> {
    const entries = serverKinds.map(async (kind) => [kind, await finders[kind](durability)] as const);
    return new Servers(new Map(await Promise.all(entries)));
  }

  get(kind: ServerKind): FoundServer | AbsentServer {
    return this.#found.get(kind) ?? { absent: `the bench does not know ${kind}` };
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#found.values()].map((server) => ('absent' in server ? undefined : server.stop())));
  }
}
