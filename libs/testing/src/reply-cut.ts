/** A cut that waits for its command. See `FaultProxy.cutBeforeReply`. */
export class ReplyCut {
  /** Resolves when the cut happened. */
  readonly done: Promise<void>;
  readonly #pattern: string | undefined;
  #resolve: () => void = () => {};
  #reject: (error: Error) => void = () => {};
  #isClaimed = false;

  constructor(pattern: string | undefined, timeoutMs: number) {
    this.#pattern = pattern === undefined ? undefined : comparable(Buffer.from(pattern));
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // The caller may await it only after it has rejected.
    this.done.catch(() => {});
    const what = pattern === undefined ? 'no command' : `no command that contains "${pattern}"`;
    const timer = setTimeout(
      () => this.fail(new Error(`${what} got a reply through the proxy within ${timeoutMs} ms`)),
      timeoutMs,
    );
    const clear = () => clearTimeout(timer);
    this.done.then(clear, clear);
  }

  /** Returns true once, for the first matching command: its connection must execute the cut, or give it back. */
  claim(command: Buffer): boolean {
    if (this.#isClaimed || !this.#fits(command)) return false;
    this.#isClaimed = true;
    return true;
  }

  /** Gives the cut back, since Redis did not execute the command: it waits for the next one. */
  giveBack(): void {
    this.#isClaimed = false;
  }

  succeed(): void {
    this.#resolve();
  }

  fail(error: Error): void {
    this.#reject(error);
  }

  #fits(command: Buffer): boolean {
    return this.#pattern === undefined || comparable(command).includes(this.#pattern);
  }
}

/** Clients write command names in either case. One character per byte, so that any bytes can be searched. */
function comparable(bytes: Buffer): string {
  return bytes.toString('latin1').toLowerCase();
}
