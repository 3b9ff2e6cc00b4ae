import type { TurnResult, TurnState } from '../store/turn.js';

/** What a consumer expects of its queue, from its last turns. */
export class QueueOutlook {
  #state: TurnState = 'ok';
  #isIdle = false;
  #mayHaveMore = true;
  /** How many of the last turns brought as many as were wanted. */
  #fullTurns = 0;

  /** What Redis lets the consumer do. */
  get state(): TurnState {
    return this.#state;
  }

  /** Whether the consumer has room and found nothing: it is in `idle` and must wait for a wake-up. */
  get isIdle(): boolean {
    return this.#isIdle;
  }

  /** Whether there may be messages for it: the last turn brought as many as were wanted, or there was a wake-up since. */
  get mayHaveMore(): boolean {
    return this.#mayHaveMore;
  }

  /** Whether many messages wait. */
  get hasBacklog(): boolean {
    return this.#fullTurns > 1;
  }

  /** There may be messages. */
  expect(): void {
    this.#mayHaveMore = true;
  }

  /** It is no longer in `idle`. */
  leftIdle(): void {
    this.#isIdle = false;
  }

  /** A turn that wanted this many messages has brought this. */
  turned({ taken, state, dueInMs }: Pick<TurnResult, 'taken' | 'state' | 'dueInMs'>, wanted: number): void {
    this.#state = state;
    this.#isIdle = taken.size < wanted && (state === 'ok' || state === 'passed');
    this.#mayHaveMore = state === 'ok' && (taken.size === wanted || dueInMs === 0);
    if (wanted > 0) this.#fullTurns = taken.size < wanted ? 0 : this.#fullTurns + 1;
  }
}
