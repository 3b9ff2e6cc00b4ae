import type { HandlingContext } from '../handling/handling-context.js';

/** What a consumer needs of the Broker that made it. */
export interface ConsumerContext extends Pick<HandlingContext, 'connection' | 'codecs' | 'events' | 'responder'> {
  /** Names of the shards of a queue; of one that is not sharded, its own. */
  slotsOf(queue: string): Promise<readonly string[]>;
  /** Carries what follows from endings in a shard to where it belongs. Never rejects. */
  carryLines(shard: string): void;
  /** The last consumer of an auto-delete queue may have gone. */
  consumerLeft(queue: string): Promise<void>;
  stopped(consumer: object): void;
}
