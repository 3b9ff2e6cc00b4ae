import { messageOf } from '@millrace/core';
import { PollLoop } from '@millrace/delivery';

/** Retries work that an outage may prevent until it succeeds. Each new reason is reported once. */
export class OutageWait {
  readonly #loop: PollLoop;
  #lastReason = '';

  constructor(work: () => Promise<void>, report: (error: unknown) => void) {
    this.#loop = new PollLoop(
      async () => {
        await work();
        // The loop ends after this poll; it must not be awaited within the poll.
        void this.#loop.stop();
        return 0;
      },
      (error) => {
        const reason = messageOf(error);
        if (reason !== this.#lastReason) report(error);
        this.#lastReason = reason;
      },
    );
  }

  start(): void {
    void this.#loop.start();
  }

  /** Does not wait for an attempt in progress. */
  stop(): void {
    void this.#loop.stop();
  }
}
