import { messageOf, TopologyNotFoundError } from '@millrace/core';
import type { Death } from '../model/death.js';
import type { Router } from '../model/routing.js';
import type { QueuedMessage } from '../queued-message.js';
import type { RedriveOptions } from './dead-letter-options.js';

// Where a dead letter may be sent back to. Any client that can write into the queue of dead letters can write a letter's history, so a
// history sends a letter only to a queue that is allowed.

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

/** Why a letter that was sent was not taken. */
export const noTaker = 'no queue takes it there: there is no binding, or the queue is full';

/** How a letter came into the queue where it died last, and where it goes now. */
export function wayBack(
  { deaths: [death], routingKey }: QueuedMessage,
  to: RedriveOptions['to'],
): {
  readonly origin: { readonly exchange: string; readonly routingKey: string };
  readonly destination: NonNullable<RedriveOptions['to']>;
} {
  const origin = { exchange: death?.exchange ?? '', routingKey: death?.routingKeys[0] ?? routingKey };
  return { origin, destination: to ?? { queue: death?.queue ?? '' } };
}

/** Why a letter would not be taken, by what is declared; whether a queue is full shows when it is sent. */
export function targetProblem(
  router: Router,
  message: QueuedMessage,
  { to }: Pick<RedriveOptions, 'to'>,
): string | undefined {
  const { origin, destination } = wayBack(message, to);
  try {
    if ('queue' in destination && !router.topology.queues.has(destination.queue))
      return messageOf(new TopologyNotFoundError('queue', destination.queue));
    const [exchange, routingKey] =
      'queue' in destination
        ? ['', destination.queue]
        : [destination.exchange, destination.routingKey ?? origin.routingKey];
    const { queues, topics } = router.route(exchange, { routingKey, headers: message.headers });
    return queues.length + topics.length === 0 ? noTaker : undefined;
  } catch (error) {
    return messageOf(error);
  }
}
