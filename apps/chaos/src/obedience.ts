import type { Journal } from './journal.js';
import { orderSignal, readOrder } from './order.js';

/** What a process was told to do to itself, done. */
export class Obedience {
  #throwsUntil = 0;
  #thrown = 0;

  constructor(folder: string, name: string, journal: Journal) {
    process.on(orderSignal, () => {
      const { kind, forMs } = readOrder(folder, name);
      journal.note('order', { kind, forMs });
      const until = performance.now() + forMs;
      if (kind === 'throw') this.#throwsUntil = until;
      else while (performance.now() < until);
      journal.note('order done', { kind, thrown: this.#thrown });
    });
  }

  /** Throws while this process was told to: for callbacks that must not matter. */
  mayThrow(): void {
    if (performance.now() >= this.#throwsUntil) return;
    this.#thrown++;
    throw new Error('a callback throws, as it was told');
  }
}
