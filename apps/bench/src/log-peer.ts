import type { Payload } from './payload.js';
import type { Place } from './place.js';
import type { OpenQueue } from './queue-peer.js';

/** How a log is laid out for a scenario. */
export interface LogLayout {
  /** Default 1. */
  readonly partitions?: number;
  /** Default: records have none. */
  readonly keyOf?: (payload: Payload) => string;
  /** Default none. Only ours has any. */
  readonly compression?: 'none' | 'zlib';
}

/**
 * A log of whatever make. It is used as a queue is: `publish` and `publishBatch` append and wait for the confirmation,
 * `consume` reads as the only member of a group from its committed offset on, keeps the order of each key (of everything
 * without keys), and commits.
 */
export type OpenLog = Omit<OpenQueue, 'publishDelayed'>;

export type OpenLogPeer = (place: Place, layout?: LogLayout) => Promise<OpenLog>;
