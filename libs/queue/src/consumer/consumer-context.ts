import type { HandlingContext } from '../handling/handling-context.js';

/** What a consumer needs of the Broker that created it. */
export interface ConsumerContext extends Pick<HandlingContext, 'connection' | 'codecs' | 'events' | 'responder'> {
  /** Names of a queue's shards; of a queue that is not sharded, its own name. */
  slotsOf(queue: string): Promise<readonly string[]>;
  /** Carries what follows from endings in a shard to where it belongs. Never rejects. */
  carryLines(shard: string): void;
  /** The last consumer of an auto-delete queue may have gone. */
  consumerLeft(queue: string): Promise<void>;
  stopped(consumer: object): void;
}
