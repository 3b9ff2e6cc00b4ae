import type { Socket } from 'node:net';

// Above this number of waiting bytes the sender is held back, as by a full network.
const maxWaitingBytes = 4 * 1024 * 1024;

/** One direction of a proxied connection: forwards bytes in order, each when its delay is over. */
export class ProxyDirection {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #waiting: { readonly bytes: Buffer; readonly dueAt: number }[] = [];
  #waitingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #isEnding = false;

  constructor(from: Socket, to: Socket) {
    this.#from = from;
    this.#to = to;
    to.on('drain', () => from.resume());
    to.once('close', () => clearTimeout(this.#timer));
  }

  send(bytes: Buffer, delayMs: number): void {
    if (delayMs === 0 && this.#waiting.length === 0) {
      this.#write(bytes);
      return;
    }
    // Later bytes never overtake earlier ones, even if the delay was shortened in between.
    const dueAt = Math.max(performance.now() + delayMs, this.#waiting.at(-1)?.dueAt ?? 0);
    this.#waiting.push({ bytes, dueAt });
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > maxWaitingBytes) this.#from.pause();
    this.#arm();
  }

  /** Closes the far side when all waiting bytes have been forwarded. */
  end(): void {
    this.#isEnding = true;
    if (this.#waiting.length === 0) this.#to.destroySoon();
  }

  #arm(): void {
    const next = this.#waiting[0];
    if (next === undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#flush(), Math.max(0, next.dueAt - performance.now()));
  }

  #flush(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (let next = this.#waiting[0]; next !== undefined && next.dueAt <= now; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#waitingBytes -= next.bytes.length;
      this.#write(next.bytes);
    }
    if (this.#waiting.length > 0) this.#arm();
    else if (this.#isEnding) this.#to.destroySoon();
    else this.#from.resume();
  }

  #write(bytes: Buffer): void {
    if (this.#to.destroyed) return;
    if (!this.#to.write(bytes)) this.#from.pause();
  }
}
