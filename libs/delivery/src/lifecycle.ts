/** Anything that runs in the background. Both calls are safe to repeat; `stop` is safe before `start`. */
export interface Service {
  /** Resolves when it runs. Calling it again waits for the same start. */
  start(): Promise<void>;
  /** Ends orderly, but by the deadline at the latest: then what still runs is abandoned. */
  stop(options?: StopOptions): Promise<void>;
}

/** How to stop. */
export interface StopOptions {
  /** How long work in flight may take to end, in ms; `Infinity`: as long as it takes. */
  readonly deadlineMs?: number;
}

/** `idle → starting → running → stopping → stopped`; a service that was stopped is not started again. */
export type LifecycleState = 'idle' | 'starting' | 'running' | 'stopping' | 'stopped';

/** Keeps the promise of `Service` for whoever says how to start and how to stop. */
export class Lifecycle {
  #state: LifecycleState = 'idle';
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  /** Where it stands. */
  get state(): LifecycleState {
    return this.#state;
  }

  /** True once `stop` was called, and after it. */
  get isStopping(): boolean {
    return this.#state === 'stopping' || this.#state === 'stopped';
  }

  /** Runs `work` once; whoever calls again waits for the same start. A failed start can be tried again. */
  start(work: () => Promise<void>): Promise<void> {
    if (this.isStopping) return Promise.reject(new Error('it was stopped and cannot be started again: make a new one'));
    this.#starting ??= this.#run('starting', 'running', work).catch((error: unknown) => {
      this.#starting = undefined;
      if (!this.isStopping) this.#state = 'idle';
      throw error;
    });
    return this.#starting;
  }

  /** Runs `work` once, after a start that is under way; before any start there is nothing to stop. */
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
