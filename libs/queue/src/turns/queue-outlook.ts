import type { TurnResult, TurnState } from '../store/turn.js';

/** What a consumer expects of its queue, by its last turns. */
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

  /** Whether the consumer has room and found nothing: it stands in `idle` and must wait to be woken. */
  get isIdle(): boolean {
    return this.#isIdle;
  }

  /** Whether there may be messages for it: the last turn brought as many as were wanted, or it was woken since. */
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

  /** It is not in `idle` any more. */
  leftIdle(): void {
    this.#isIdle = false;
  }

  /** A turn that wanted so many messages has brought this. */
  turned({ taken, state, dueInMs }: Pick<TurnResult, 'taken' | 'state' | 'dueInMs'>, wanted: number): void {
    this.#state = state;
    this.#isIdle = taken.size < wanted && (state === 'ok' || state === 'passed');
    this.#mayHaveMore = state === 'ok' && (taken.size === wanted || dueInMs === 0);
    if (wanted > 0) this.#fullTurns = taken.size < wanted ? 0 : this.#fullTurns + 1;
  }
}
