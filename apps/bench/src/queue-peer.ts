import type { Payload } from './payload.js';
import type { Place } from './place.js';

/** A queue of whatever make, as the scenarios use it: each file in `peers/` gives one, used the fast way its authors recommend. */
export interface OpenQueue {
  /** Resolves when the server confirmed it. */
  publish(payload: Payload): Promise<unknown>;
  /** Resolves when the server confirmed all of them. */
  publishBatch(payloads: readonly Payload[]): Promise<unknown>;
  publishDelayed?(payload: Payload, delayMs: number): Promise<unknown>;
  /** Starts to hand every message to the handler, `concurrency` at a time. A handler that throws is retried after `retryDelayMs`. */
  consume(handler: QueueHandler, options: ConsumeOptions): Promise<RunningConsumer>;
  close(): Promise<void>;
}

export type QueueHandler = (payload: Payload) => void | Promise<void>;

export interface ConsumeOptions {
  readonly concurrency: number;
}

export interface RunningConsumer {
  stop(): Promise<void>;
}

/** Attempts after the first, and the pause before each: what every peer is set to. */
export const retry = { retries: 3, delayMs: 100 } as const;

export type OpenQueuePeer = (place: Place, name?: string) => Promise<OpenQueue>;
