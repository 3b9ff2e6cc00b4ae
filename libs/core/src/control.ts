import { brand } from './brand.js';

// Three objects that a handler can throw to decide what happens to its message. Anything else it throws is a failed attempt.

/** Handle the message again after `delayMs`. Does not count as a retry. */
export class RetryLater extends Error {
  constructor(
    /** The shortest wait, in ms. */
    readonly delayMs: number,
    reason = 'the handler asked for a later try',
  ) {
    super(reason);
    this.name = 'RetryLater';
  }
}

/** Give the message up without further retries: it becomes a dead letter with this reason. */
export class DeadLetter extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.name = 'DeadLetter';
  }
}

/** Discard the message: it counts as handled. */
export class Drop extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'Drop';
  }
}

brand({ RetryLater, DeadLetter, Drop });
