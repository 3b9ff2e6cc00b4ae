import { messageOf } from '@millrace/core';
import { entryAfter } from '../model/entry.js';
import type { Router } from '../model/routing.js';
import type { Forwarder } from '../publishing/forwarder.js';
import type { QueuedMessage } from '../queued-message.js';
import type { RedriveOptions } from './dead-letter-options.js';
import type { SentBack } from './redrive.js';
import { noTaker, problemOf, targetProblem, wayBack } from './redrive-origin.js';

/** Where letters are sent back to. */
interface Destination extends Pick<RedriveOptions, 'to'> {
  /** Queues that a history may name. */
  readonly allowed: ReadonlySet<string>;
  /** Nothing is sent: the results are those by what is declared. Undefined: it is sent. */
  readonly router: Router | undefined;
}

/** Sends letters of `queue` back. They are not removed there. */
export function sendBack(
  forwarder: Forwarder,
  queue: string,
  letters: readonly QueuedMessage[],
  destination: Destination,
): Promise<SentBack[]> {
  const { router, allowed } = destination;
  return Promise.all(
    letters.map(async (letter): Promise<SentBack> => {
      const sent = () =>
        router ? targetProblem(router, letter, destination) : sendOneBack(forwarder, queue, letter, destination.to);
      return [letter.id, problemOf(letter, destination, allowed) ?? (await sent())];
    }),
  );
}

/** Resolves to why it could not be sent back; undefined when it was. */
async function sendOneBack(
  forwarder: Forwarder,
  queue: string,
  letter: QueuedMessage,
  to: RedriveOptions['to'],
): Promise<string | undefined> {
  const { origin, destination } = wayBack(letter, to);
  const entry = entryAfter(queue, letter.id);
  try {
    const { exchange, routingKey = origin.routingKey } = 'queue' in destination ? origin : destination;
    const toQueue = 'queue' in destination ? destination.queue : undefined;
    const message = { ...letter.stored(), id: letter.messageId, exchange, routingKey };
    const receipt = await forwarder.forward({ entry, message, toQueue });
    return receipt.queues.length + receipt.topics.length === 0 ? noTaker : undefined;
  } catch (error) {
    return messageOf(error);
  }
}
