/** The longest delay of Node's own timers, about 24.8 days: a longer one fires immediately. */
const maxDelayMs = 2 ** 31 - 1;

/** A timer that `startTimer` started. */
export type Timer = NodeJS.Timeout | LongTimer;

/**
 * Calls `call` once, in `delayMs`, with `argument`. Any delay works, also one beyond 2³¹ ms; `Infinity` means never, and does not keep
 * the process alive. Every timer of every lib is started here or by `pause`.
 */
export function startTimer(call: () => void, delayMs: number): Timer;
export function startTimer<T>(call: (argument: T) => void, delayMs: number, argument: T): Timer;
export function startTimer<T>(call: (argument?: T) => void, delayMs: number, argument?: T): Timer {
  return delayMs > maxDelayMs ? new LongTimer(() => call(argument), delayMs) : setTimeout(call, delayMs, argument);
}

/** Stops a timer. Does nothing when it has fired, was stopped, or is undefined. */
export function stopTimer(timer: Timer | undefined): void {
  if (timer instanceof LongTimer) timer.stop();
  else clearTimeout(timer);
}

/** How to pause. */
export interface PauseOptions {
  /** Whether the process stays alive for it. Default true. */
  readonly ref?: boolean;
  /** Ends the pause early: it resolves then too. */
  readonly signal?: AbortSignal;
}

/** Resolves in `delayMs`, or when the signal is aborted. Any delay works; `Infinity` means never. */
export function pause(delayMs: number, { ref = true, signal }: PauseOptions = {}): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const end = (): void => {
      stopTimer(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = startTimer(end, delayMs);
    if (!ref) timer.unref();
    signal?.addEventListener('abort', end);
  });
}

/** Waits for `work`, but no longer than `delayMs`: resolves to whether it ended. Rejects when `work` rejects. */
export async function endsWithin(
  work: Promise<unknown>,
  delayMs: number,
  { ref = true }: Pick<PauseOptions, 'ref'> = {},
): Promise<boolean> {
  const inTime = new AbortController();
  const late = pause(delayMs, { ref, signal: inTime.signal }).then(() => false);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    inTime.abort();
  }
}

/** Resolves to the result of `work`, or to undefined when it takes longer than `timeoutMs`. Rejects when `work` rejects. */
export async function within<T>(work: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  return (await endsWithin(work, timeoutMs)) ? work : undefined;
}

/** A timer beyond Node's longest delay: it is set again until its time is over. */
class LongTimer {
  readonly #call: () => void;
  #restMs: number;
  #timer: NodeJS.Timeout | undefined;
  #isRef = true;

  constructor(call: () => void, delayMs: number) {
    this.#call = call;
    this.#restMs = delayMs;
    this.#wait();
  }

  ref(): this {
    this.#isRef = true;
    this.#timer?.ref();
    return this;
  }

  unref(): this {
    this.#isRef = false;
    this.#timer?.unref();
    return this;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #wait(): void {
    if (this.#restMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.min(this.#restMs, maxDelayMs);
    this.#restMs -= delayMs;
    this.#timer = setTimeout(() => (this.#restMs > 0 ? this.#wait() : this.#call()), delayMs);
    if (!this.#isRef) this.#timer.unref();
  }
}
