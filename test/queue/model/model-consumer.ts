import type { ModelMessage } from './model-message.js';
import { exactly, type Standing, wasPassedBy } from './standing.js';

/** A message that a consumer holds. */
export interface Held {
  readonly message: ModelMessage;
  /** The step in which it was taken. */
  readonly step: number;
  /** Where it stood when it was taken. */
  readonly standing: Standing;
  isStarted: boolean;
}

/** Whether the consumer certainly took the one before the other. */
export function wasTakenBefore(one: Held, other: Held): boolean {
  if (one.step !== other.step) return one.step < other.step;
  return one.message.isSameLine(other.message) && wasPassedBy(one.standing, other.standing);
}

/** A consumer with concurrency 1: what it holds, in the order in which it was taken. */
export class ModelConsumer {
  readonly number: number;
  readonly prefetch: number;
  /** `dead`: its connection is closed, and what it held is its own until another notices. */
  state: 'live' | 'dead' | 'left' = 'live';
  /** Its handler ends immediately. */
  isQuick = false;
  held: Held[] = [];

  constructor(number: number, prefetch: number) {
    this.number = number;
    this.prefetch = prefetch;
  }

  get name(): string {
    return `c${this.number}`;
  }

  get isLive(): boolean {
    return this.state === 'live';
  }

  release(message: ModelMessage): void {
    this.held = this.held.filter((held) => held.message !== message);
  }

  /** The message that its handler has. */
  get running(): ModelMessage | undefined {
    return this.held.find(({ isStarted }) => isStarted)?.message;
  }

  /** What it holds and does not handle yet, with its rank among that: what came in one step may have come in any order. */
  waiting(): { readonly message: ModelMessage; readonly rank: Standing }[] {
    const waiting = this.held
      .filter(({ isStarted }) => !isStarted)
      .toSorted((a, b) => a.step - b.step || a.standing.from - b.standing.from);
    return waiting.map(({ message, step, standing }, index) => {
      if (standing.from === standing.to) return { message, rank: exactly(index) };
      const from = waiting.findIndex((other) => other.step === step);
      const to = waiting.findLastIndex((other) => other.step === step);
      return { message, rank: { from, to, comesWith: undefined } };
    });
  }
}
