import type { ConnectionInput } from '@millrace/redis';
import type { RedisServer } from '@millrace/testing';
import type { FaultKind, PlannedFault } from './model/fault-plan.js';

/** The servers that everything runs against, and what can be done to them. */
export interface Stage {
  /** How producers and consumers reach Redis: where they can, through a network that fails. */
  readonly connection: ConnectionInput;
  /** How the run itself reaches it. */
  readonly direct: ConnectionInput;
  readonly servers: readonly RedisServer[];
  /** Those that watch over them. */
  readonly sentinels: readonly RedisServer[];
  /** Replicas that have to confirm what is promised. */
  readonly minReplicas: number;
  readonly mayLoseUnconfirmed: boolean;
  /** Does a fault to Redis or to the network, and resolves when it is over. */
  perform(fault: PlannedFault): Promise<void>;
  /** Ends whatever is still broken. */
  heal(): Promise<void>;
  stop(): Promise<void>;
}

/** Redis cannot be written to while these last. */
export const outages: ReadonlySet<FaultKind> = new Set([
  'kill-redis',
  'freeze-redis',
  'restart-redis',
  'redis-full',
  'fail-over',
  'unseen-fail-over',
  'stale-primary',
]);
