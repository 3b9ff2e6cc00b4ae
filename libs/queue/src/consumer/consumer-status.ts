import type { TurnState } from '../store/turn.js';

/** The present state of a consumer. */
export interface ConsumerStatus {
  /** The queue it consumes from. */
  readonly queue: string;
  /** Its name in lists, logs and metrics. */
  readonly name: string;
  /** Its state in this process, between start and stop. */
  readonly state: 'idle' | 'starting' | 'running' | 'paused' | 'stopping' | 'stopped';
  /** Its state in Redis: `paused` when the queue is, `standby` while another is the single active consumer. */
  readonly turn: TurnState;
  /** Its id in Redis; undefined while it has no registration, as during an outage. */
  readonly consumer: string | undefined;
  /** Messages whose handlers run. */
  readonly running: number;
  /** Messages it holds: running ones and those read ahead. */
  readonly held: number;
}
