import type { EventEmitter } from 'node:events';
import type { Events, HandledRun, MillraceEvents } from '@millrace/delivery';

/** Listeners that are all removed together. */
export class Listeners {
  // Node's types cannot relate the listener of a generic event name to the map of events, so it is asserted here.
  readonly #emitter: EventEmitter;
  readonly #events: Events;
  readonly #removals: (() => void)[] = [];

  constructor(events: Events) {
    this.#emitter = events as EventEmitter;
    this.#events = events;
  }

  on<K extends keyof MillraceEvents>(name: K, listener: (event: MillraceEvents[K][0]) => void): void {
    this.#emitter.on(name, listener);
    this.#removals.push(() => this.#emitter.off(name, listener));
  }

  onHandled(listener: (event: MillraceEvents['handled'][0]) => void, takeRun: (run: HandledRun) => void): void {
    this.#events.onHandled(listener, takeRun);
    this.#removals.push(() => this.#events.off('handled', listener));
  }

  removeAll(): void {
    for (const remove of this.#removals.splice(0)) remove();
  }
}
