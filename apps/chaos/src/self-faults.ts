import type { Journal } from './journal.js';
import { readSelfFault, selfFaultSignal } from './self-fault.js';

/** The faults that a process does to itself when it is asked to. */
export class SelfFaults {
  #throwsUntil = 0;
  #thrown = 0;

  constructor(folder: string, name: string, journal: Journal) {
    process.on(selfFaultSignal, () => {
      const { kind, forMs } = readSelfFault(folder, name);
      journal.note('self-fault', { kind, forMs });
      const until = performance.now() + forMs;
      if (kind === 'throw') this.#throwsUntil = until;
      else while (performance.now() < until);
      journal.note('self-fault done', { kind, thrown: this.#thrown });
    });
  }

  /** Throws while callbacks are to throw: for callbacks whose failures must have no effect. */
  mayThrow(): void {
    if (performance.now() >= this.#throwsUntil) return;
    this.#thrown++;
    throw new Error('a callback throws, as planned');
  }
}
