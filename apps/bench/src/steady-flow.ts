import { setTimeout as pause } from 'node:timers/promises';
import type { Turn } from './passes.js';

/**
 * Messages that are published without a pause and handled as they come, from before a turn until after it. A turn that began with
 * nothing on its way and ended with everything handled would count the way of its last message, which is a latency, as a part of what
 * each of them costs. For what is handled as fast as it is published.
 */
export class SteadyFlow {
  #published = 0;
  #handled = 0;
  #lanes: Promise<unknown> | undefined;
  #isStopped = false;
  #whenHandled: (() => void) | undefined;

  /** For the handler: one more was handled. */
  readonly handled = (): void => {
    this.#handled++;
    this.#whenHandled?.();
  };

  /** Publishes the first messages, which no turn counts, and waits until they are handled; then so many batches at once, again and again. */
  async start(
    first: () => Promise<readonly unknown[]>,
    batchesInFlight: number,
    publish: () => Promise<readonly unknown[]>,
  ): Promise<void> {
    this.#published += (await first()).length;
    await this.#untilHandled();
    const lane = async (): Promise<void> => {
      while (!this.#isStopped) this.#published += (await publish()).length;
    };
    this.#lanes = Promise.all(Array.from({ length: batchesInFlight }, lane));
  }

  /** Of what is on its way when it begins or ends half is done: it counts half. */
  async turn(ms: number): Promise<Turn> {
    const start = performance.now();
    const before = this.#published + this.#handled;
    await Promise.race([pause(ms), this.#lanes]);
    return { messages: (this.#published + this.#handled - before) / 2, ms: performance.now() - start };
  }

  /** Resolves when everything is handled. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#lanes;
    await this.#untilHandled();
  }

  async #untilHandled(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#whenHandled = () => {
        if (this.#handled >= this.#published) resolve();
      };
      this.#whenHandled();
    });
    this.#whenHandled = undefined;
  }
}
