import type { MillraceEvents } from '@millrace/delivery';
import { MillraceLogger } from '../module/millrace-logger.js';
import type { ConsumerPlan } from '../plans/consumer-plan.js';

const logger = new MillraceLogger();

/** Logs which handlers a consumer runs, when it has started. */
export function logStarted({ label, source }: ConsumerPlan): void {
  logger.log(`Consuming from ${source}: ${label}`);
}

/**
 * Counts how handlers end while their consumer stops, and logs how many ended and how many were abandoned. It listens to every delivery,
 * so it is created when the stop begins.
 */
export class DrainReport {
  readonly #plan: ConsumerPlan;
  readonly #abandoned = new Map<string, number>();
  #ended = 0;

  /** Begins to count. */
  constructor(plan: ConsumerPlan) {
    this.#plan = plan;
    plan.millrace.events.on('handled', this.#count);
  }

  /** Ends counting. */
  write(): void {
    const { millrace, source } = this.#plan;
    millrace.events.off('handled', this.#count);
    const stopped = `Stopped consuming from ${source}`;
    const ended = this.#ended === 0 ? 'no handler was running' : `${this.#ended} running handlers ended`;
    if (this.#abandoned.size === 0) {
      logger.log(`${stopped}: ${ended}`);
      return;
    }
    const abandoned = [...this.#abandoned].map(([handler, count]) => `${handler} (${count})`).join(', ');
    logger.warn(
      `${stopped}: ${this.#ended} running handlers ended, abandoned: ${abandoned}; their messages are handled again`,
    );
  }

  readonly #count = ({ handler, source, group, outcome }: MillraceEvents['handled'][0]): void => {
    const { queue, label, group: ownGroup } = this.#plan;
    // A group may have several consumers in this process, each with its own topics.
    const isOwn = queue === undefined ? group === ownGroup && handler === label : source === `queue:${queue}`;
    if (!isOwn) return;
    if (outcome === 'abandoned') this.#abandoned.set(handler, (this.#abandoned.get(handler) ?? 0) + 1);
    else this.#ended++;
  };
}
