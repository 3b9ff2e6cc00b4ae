import type { DeadLetterReason, Headers, Outcome } from '@millrace/core';

/** Something the application published: to a topic, to an exchange, or straight to a queue. */
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

/** A handler that ended, well or not. */
export interface Handled {
  /** `OrderHandlers.onOrder` */
  readonly handler: string;
  readonly outcome: Outcome['kind'];
  /** From 1. */
  readonly attempt: number;
}

/** A message that was given up. */
export interface DeadLettered {
  readonly handler: string;
  readonly reason: DeadLetterReason;
  readonly error: unknown;
}

/** What happened in the application, in its order. */
export class Journal {
  readonly published: Published[] = [];
  readonly handled: Handled[] = [];
  readonly deadLetters: DeadLettered[] = [];

  /** Forgets everything: between two tests that share an application. */
  clear(): void {
    this.published.length = 0;
    this.handled.length = 0;
    this.deadLetters.length = 0;
  }
}
