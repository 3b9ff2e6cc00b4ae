import type { Death } from '../model/death.js';
import type { QueuedMessage } from '../queued-message.js';
import type { RedriveOptions } from './dead-letter-options.js';

// Where a dead letter may be sent back to. Its history is not trusted: any producer may have written it.

/** How many times it died in the queue where it died last, for any reason. */
export function deathsInOrigin({ deaths }: QueuedMessage): number {
  const here = deaths.filter(({ queue }) => queue === deaths[0]?.queue);
  return here.reduce((sum, { count }) => sum + count, 0);
}

/** A letter's own history never sends it to a queue that is not allowed. */
export function problemOf(
  { deaths, routingKey }: QueuedMessage,
  { to }: Pick<RedriveOptions, 'to'>,
  allowed: ReadonlySet<string>,
): string | undefined {
  if (to === undefined && deaths.length === 0) return 'it has no history: set the option "to"';
  const queue = queueByHistory(to, deaths[0], routingKey);
  if (queue === undefined || allowed.has(queue)) return undefined;
  return `its history names queue "${queue}", which has its dead letters elsewhere: set the option "to", or allow it with allowQueues`;
}

/** The target queue by its history; undefined when the operator set a target. */
function queueByHistory(to: RedriveOptions['to'], death: Death | undefined, routingKey: string): string | undefined {
  if (to === undefined) return death?.queue;
  const isByKey = 'exchange' in to && to.exchange === '' && to.routingKey === undefined;
  return isByKey ? (death?.routingKeys[0] ?? routingKey) : undefined;
}
