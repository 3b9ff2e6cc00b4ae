// Three words a handler can throw to say what is to happen to its message. Anything else it throws is a failed attempt.

/** Not now: handle the message again after `delayMs`. Does not use up a retry. */
export class RetryLater extends Error {
  constructor(
    /** How long to wait, in ms, at least. */
    readonly delayMs: number,
    reason = 'the handler asked for a later try',
  ) {
    super(reason);
    this.name = 'RetryLater';
  }
}

/** Give the message up now, without further retries: it becomes a dead letter with this reason. */
export class DeadLetter extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.name = 'DeadLetter';
  }
}

/** Forget the message: it counts as handled. */
export class Drop extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'Drop';
  }
}
