/**
 * The lease of a consumer on what it holds, as far as this process can know: Redis renews it with each turn and each heartbeat, at
 * the moment when it executes them, which is after they are sent.
 */
export class Lease {
  readonly #lengthMs: number;
  /** When the last turn or heartbeat that renewed it was sent, by the monotonic clock. */
  #renewedAt = Number.NEGATIVE_INFINITY;

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs;
  }

  get lengthMs(): number {
    return this.#lengthMs;
  }

  renewed(sentAt: number): void {
    this.#renewedAt = sentAt;
  }

  /** The connection is a new one: it may lead to another server, without the last renewal. */
  forget(): void {
    this.#renewedAt = Number.NEGATIVE_INFINITY;
  }

  /** Time since it was renewed, in ms. */
  get ageMs(): number {
    return performance.now() - this.#renewedAt;
  }

  /** Whether it cannot have expired. False also in a process that stalled for that long. */
  get isCertain(): boolean {
    return performance.now() < this.#renewedAt + this.#lengthMs;
  }
}
