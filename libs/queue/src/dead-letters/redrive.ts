import { RedriveTally } from '@millrace/core';
import type { QueuedMessage } from '../queued-message.js';

/** A letter, and why it could not be sent back; undefined when it was. */
export type SentBack = readonly [id: string, why: string | undefined];

/** What a redrive does with letters. */
export interface RedriveSteps {
  /** Sends letters to where they are to go. Does not reject. */
  send(letters: readonly QueuedMessage[]): Promise<SentBack[]>;
  /** Removes letters that were sent, where they were. */
  remove(letters: readonly { readonly id: string }[]): Promise<unknown>;
}

/** One redrive. While a piece of letters is on its way, the next one is sent, and the one before is removed. */
export class Redrive {
  readonly tally = new RedriveTally();
  readonly #limit: number;
  readonly #steps: RedriveSteps;
  #sending: { readonly count: number; readonly results: Promise<SentBack[]> } | undefined;
  #removal: Promise<unknown> = Promise.resolve();

  /** @param limit most letters to send */
  constructor(limit: number, steps: RedriveSteps) {
    this.#limit = limit;
    this.#steps = steps;
  }

  get isOver(): boolean {
    return this.tally.redriven >= this.#limit;
  }

  /** Sends the first of these letters, as many as the limit allows, and takes them out of the list. */
  async send(letters: QueuedMessage[]): Promise<void> {
    const room = this.#limit - this.tally.redriven - (this.#sending?.count ?? 0);
    if (room <= 0) {
      await this.settle();
      return;
    }
    const some = letters.splice(0, room);
    const results = this.#steps.send(some);
    await this.settle();
    this.#sending = { count: some.length, results };
  }

  /** Waits for what is on its way, and begins to remove it. */
  async settle(): Promise<void> {
    const results = (await this.#sending?.results) ?? [];
    this.#sending = undefined;
    await this.#removal;
    this.#removal = this.#steps.remove(results.flatMap(([id, why]) => (why === undefined ? [{ id }] : [])));
    // It is awaited later.
    this.#removal.catch(() => undefined);
    for (const [id, why] of results) this.tally.add(why === undefined ? 'redriven' : { id, why });
  }

  /** Waits until everything that was sent is removed. */
  async end(): Promise<void> {
    await this.settle();
    await this.#removal;
  }
}
