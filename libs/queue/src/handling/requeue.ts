import { brand, shown } from '@millrace/core';

/**
 * Thrown by a handler: gives the message back to the queue immediately, `to` its back (default) or its head. It counts as a
 * delivery without an outcome: past the queue's `deliveryLimit` the message is dead-lettered.
 */
export class Requeue extends Error {
  /** @throws {TypeError} `to` is neither: then the attempt fails */
  constructor(
    /** `back`: behind all that wait. `head`: it is delivered next. */
    readonly to: 'back' | 'head' = 'back',
    reason = 'the handler gave the message back',
  ) {
    if (to !== 'back' && to !== 'head')
      throw new TypeError(`a message is requeued to "back" or "head", got ${shown(to)}.`);
    super(reason);
    this.name = 'Requeue';
  }
}

brand({ Requeue });
