/** How safe a confirmed message is, the same for every subject of a run. */
export const durabilities = ['none', 'everysec', 'always'] as const;
export type Durability = (typeof durabilities)[number];

/** What a measurement finds when its process starts. */
export interface Place {
  readonly durability: Durability;
  /** Shorter windows and smaller backlogs. */
  readonly quick: boolean;
  /** How long to run before counting, and how long to count. */
  readonly warmUpMs: number;
  readonly windowMs: number;
  /** Which round it is, from 0 on. */
  readonly round: number;
  /** Root of another checkout, whose build is measured beside this one. Only with `--against`. */
  readonly against?: string;
  /** A server of this measurement alone, empty. Absent when the subject does not need Redis. */
  readonly redisUrl?: string;
  readonly rabbitmqUrl?: string;
  readonly natsUrl?: string;
  readonly kafkaBrokers?: string;
  /** What it calls its queue, stream or topic where the server is not its own. */
  readonly name?: string;
}

/** The address of the server that a subject runs on. */
export function urlOf(place: Place, server: 'redis' | 'rabbitmq' | 'nats' | 'kafka'): string {
  const { redisUrl, rabbitmqUrl, natsUrl, kafkaBrokers } = place;
  const url = { redis: redisUrl, rabbitmq: rabbitmqUrl, nats: natsUrl, kafka: kafkaBrokers }[server];
  if (url === undefined) throw new Error(`this measurement needs ${server}, and its server was not started`);
  return url;
}

/** What a measurement calls its queue, stream or topic. */
export function nameIn({ name = 'bench' }: Place): string {
  return name;
}
