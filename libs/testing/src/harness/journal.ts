import type { DeadLetterReason, Headers, Outcome } from '@millrace/core';

/** A message that the application published: to a topic, to an exchange, or straight to a queue. */
export type Published =
  | {
      readonly to: 'topic';
      readonly topic: string;
      readonly value: unknown;
      readonly key?: string | undefined;
      readonly headers: Headers;
    }
  | {
      readonly to: 'exchange';
      readonly exchange: string;
      readonly routingKey: string;
      readonly body: unknown;
      readonly headers: Headers;
    }
  | { readonly to: 'queue'; readonly queue: string; readonly body: unknown; readonly headers: Headers };

/** A handler that ended, successfully or not. */
export interface Handled {
  /** `OrderHandlers.onOrder` */
  readonly handler: string;
  /** How the attempt ended: `completed`, `failed` and so on. */
  readonly outcome: Outcome['kind'];
  /** From 1. */
  readonly attempt: number;
}

/** A message that was given up. */
export interface DeadLettered {
  /** `OrderHandlers.onOrder` */
  readonly handler: string;
  /** Why it was given up. */
  readonly reason: DeadLetterReason;
  /** The last error of the handler. */
  readonly error: unknown;
}

/** The events of the application, in order. */
export class Journal {
  /** Messages that the application sent and published. */
  readonly published: Published[] = [];
  /** Attempts that ended. */
  readonly handled: Handled[] = [];
  /** Messages that were given up. */
  readonly deadLetters: DeadLettered[] = [];

  /** Clears the journal, between two tests that share an application. */
  clear(): void {
    this.published.length = 0;
    this.handled.length = 0;
    this.deadLetters.length = 0;
  }
}
