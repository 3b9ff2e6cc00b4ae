import { messageOf } from '@millrace/core';
import { PollLoop } from '@millrace/delivery';

/** Does something that an outage may prevent, again and again until it is done. Each new reason is reported once. */
export class OutageWait {
  readonly #loop: PollLoop;
  #lastReason = '';

  constructor(work: () => Promise<void>, report: (error: unknown) => void) {
    this.#loop = new PollLoop(
      async () => {
        await work();
        // It ends after this poll; waiting for that here would be waiting for ourselves.
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

  /** Does not wait for a try that is under way. */
  stop(): void {
    void this.#loop.stop();
  }
}
