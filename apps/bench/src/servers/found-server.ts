import type { Place } from '../place.js';

/** A server that is here, and how to get an address of it. */
export interface FoundServer {
  /** As it stands in the table: product, version, and how it keeps data. */
  readonly description: string;
  /** An address for one measurement: a server of its own where starting one is cheap. */
  lease(): Promise<Leased>;
  /** Ends what was started. */
  stop(): Promise<void>;
}

export interface Leased {
  readonly place: Partial<Place>;
  release(): Promise<void>;
}

/** A server that is not here, and what to do to have it. */
export interface AbsentServer {
  readonly absent: string;
}
