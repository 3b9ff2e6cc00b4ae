import { shown } from '@millrace/core';

/**
 * A handler may throw it: give the message back to the queue immediately, `to` its back (default) or its head. It counts as a
 * delivery without verdict: past the queue's `deliveryLimit` the message is dead-lettered.
 */
export class Requeue extends Error {
  /** @throws {TypeError} `to` is neither: the attempt has failed then */
  constructor(
    /** `back`: behind all that wait. `head`: it is the next one. */
    readonly to: 'back' | 'head' = 'back',
    reason = 'the handler gave the message back',
  ) {
    if (to !== 'back' && to !== 'head')
      throw new TypeError(`a message is requeued to "back" or "head", got ${shown(to)}.`);
    super(reason);
    this.name = 'Requeue';
  }
}
