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
    // The caller may look at it later than it fails.
    this.done.catch(() => {});
    const what = pattern === undefined ? 'no command' : `no command that contains "${pattern}"`;
    const timer = setTimeout(
      () => this.fail(new Error(`${what} was answered through the proxy within ${timeoutMs} ms`)),
      timeoutMs,
    );
    const clear = () => clearTimeout(timer);
    this.done.then(clear, clear);
  }

  /** True once, for the first command that fits: its connection has to carry out the cut, or to give it back. */
  claim(command: Buffer): boolean {
    if (this.#isClaimed || !this.#fits(command)) return false;
    this.#isClaimed = true;
    return true;
  }

  /** Redis answered that it did nothing: the cut waits for the next command. */
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

/** Clients write command names in either case. One character a byte, so that any bytes can be searched. */
function comparable(bytes: Buffer): string {
  return bytes.toString('latin1').toLowerCase();
}
