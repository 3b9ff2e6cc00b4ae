import type { HandledRun, MillraceEvents } from '@millrace/delivery';
import { Distribution, type Series } from './pulled-metrics.js';
import type { Roster } from './roster.js';

type Handled = MillraceEvents['handled'][0];

/** One handler's times. */
interface Times {
  readonly durations: Map<string, Distribution>;
  readonly waits: Distribution;
}

interface Entry {
  readonly labels: Series['labels'];
  readonly distribution: Distribution;
}

/**
 * How long handlers took and messages waited. It is called for every message, so it allocates nothing and avoids look-ups: consecutive
 * messages mostly belong to one handler.
 */
export class HandlerTimes {
  readonly #bounds: readonly number[];
  readonly #roster: Roster;
  readonly #handlers = new Map<string, Times>();
  #clockOffsetMs = Date.now() - performance.now();
  #lastHandler: string | undefined;
  #lastOutcome: string | undefined;
  #lastTimes: Times | undefined;
  #lastDurations: Distribution | undefined;

  /** `bounds`: of the buckets, in seconds. `roster`: which handlers are measured by name. */
  constructor(bounds: readonly number[], roster: Roster) {
    this.#bounds = bounds;
    this.#roster = roster;
  }

  readonly add = ({ handler, outcome, attempt, durationMs, timestamp, startedAt }: Handled): void => {
    if (handler !== this.#lastHandler || outcome !== this.#lastOutcome) this.#find(handler, outcome);
    this.#lastDurations?.add(durationMs / 1000);
    if (attempt > 1 || timestamp === undefined) return;
    // From the message's timestamp to the start of its first attempt, including requested delays. Reading the clock is half the cost
    // here, so a previous reading is used.
    const begunAt = startedAt === undefined ? Date.now() - durationMs : this.#clockOffsetMs + startedAt;
    this.#lastTimes?.waits.add(Math.max(0, begunAt - timestamp) / 1000);
  };

  readonly addRun = ({ labels, count, startedAts, durationsMs, timestamps }: HandledRun): void => {
    const { handler } = labels;
    if (handler !== this.#lastHandler || this.#lastOutcome !== 'completed') this.#find(handler, 'completed');
    const [durations, waits] = [this.#lastDurations, this.#lastTimes?.waits];
    for (let index = 0; index < count; index++) {
      durations?.add((durationsMs[index] ?? 0) / 1000);
      const begunAt = this.#clockOffsetMs + (startedAts[index] ?? 0);
      waits?.add(Math.max(0, begunAt - (timestamps[index] ?? begunAt)) / 1000);
    }
  };

  /** Follows the system's clock, which may be set while the process runs. */
  followClock(): void {
    this.#clockOffsetMs = Date.now() - performance.now();
  }

  durations(): Entry[] {
    return [...this.#handlers].flatMap(([handler, { durations }]) =>
      [...durations].map(([outcome, distribution]) => ({ labels: { handler, outcome }, distribution })),
    );
  }

  waits(): Entry[] {
    return [...this.#handlers].map(([handler, { waits }]) => ({ labels: { handler }, distribution: waits }));
  }

  #find(handler: string, outcome: string): void {
    const times = this.#handlers.get(handler) ?? this.#timesOf(this.#roster.nameOf(handler));
    let durations = times.durations.get(outcome);
    if (durations === undefined) {
      durations = new Distribution(this.#bounds);
      times.durations.set(outcome, durations);
    }
    this.#lastHandler = handler;
    this.#lastOutcome = outcome;
    this.#lastTimes = times;
    this.#lastDurations = durations;
  }

  #timesOf(name: string): Times {
    const times = this.#handlers.get(name) ?? { durations: new Map(), waits: new Distribution(this.#bounds) };
    this.#handlers.set(name, times);
    return times;
  }
}
