/** Anything that runs in the background. Both calls are safe to repeat; `stop` is safe before `start`. */
export interface Service {
  /** Resolves when it runs. Calling it again waits for the same start. */
  start(): Promise<void>;
  /** Stops gracefully, by the deadline at the latest: work that still runs then is abandoned. */
  stop(options?: StopOptions): Promise<void>;
}

/** How to stop. */
export interface StopOptions {
  /** How long work in flight may take to end, in ms; `Infinity`: without limit. */
  readonly deadlineMs?: number | undefined;
}

/** `idle → starting → running → stopping → stopped`; a service that was stopped is not started again. */
export type LifecycleState = 'idle' | 'starting' | 'running' | 'stopping' | 'stopped';

/** Implements the contract of `Service` around given functions for start and stop. */
export class Lifecycle {
  #state: LifecycleState = 'idle';
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  /** The current state. */
  get state(): LifecycleState {
    return this.#state;
  }

  /** True from the call of `stop` on. */
  get isStopping(): boolean {
    return this.#state === 'stopping' || this.#state === 'stopped';
  }

  /** Runs `work` once; further calls wait for the same start. A failed start can be tried again. */
  start(work: () => Promise<void>): Promise<void> {
    if (this.isStopping) return Promise.reject(new Error('it was stopped and cannot be started again: make a new one'));
    this.#starting ??= this.#run('starting', 'running', work).catch((error: unknown) => {
      this.#starting = undefined;
      if (!this.isStopping) this.#state = 'idle';
      throw error;
    });
    return this.#starting;
  }

  /** Runs `work` once, after a start in progress; before any start there is nothing to stop. */
  stop(work: () => Promise<void>): Promise<void> {
    this.#stopping ??= this.#stop(work);
    return this.#stopping;
  }

  async #stop(work: () => Promise<void>): Promise<void> {
    const starting = this.#starting;
    this.#state = 'stopping';
    if (starting !== undefined) {
      await starting.catch(() => undefined);
      this.#state = 'stopping';
      await work();
    }
    this.#state = 'stopped';
  }

  async #run(during: LifecycleState, after: LifecycleState, work: () => Promise<void>): Promise<void> {
    this.#state = during;
    await work();
    if (!this.isStopping) this.#state = after;
  }
}
