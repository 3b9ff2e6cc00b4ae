/** Lets callers wait until a pause is complete (all running handlers have ended) or was cancelled. */
export class PauseWait {
  readonly #waiting = new Set<() => void>();

  /** Resolves when `still` does, or `end` is called. */
  async until(still: Promise<unknown>): Promise<void> {
    let end: (() => void) | undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
      this.#waiting.add(resolve);
    });
    try {
      await Promise.race([still, ended]);
    } finally {
      if (end !== undefined) this.#waiting.delete(end);
    }
  }

  /** Ends every wait: handlers start again, or never will. */
  end(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
