import { type Evidence, entriesOf } from '../evidence.js';

/** A message of the queue with one consumer at a time, as the process that had it first began it. */
interface InLine {
  readonly id: string;
  readonly process: string;
  readonly sentAt: number;
  readonly confirmedAt: number;
}

/**
 * First in, first out for who is alone: of two messages that one process was the first to begin, and that were sent while no other
 * was registered at the queue, the one that was confirmed before the other was sent is begun before it.
 *
 * A process that comes when another has died is not alone until that is noticed: what the dead one held comes back later.
 */
export function findLineViolations(evidence: Evidence): string[] {
  const last = new Map<string, InLine>();
  const problems: string[] = [];
  for (const message of messagesInLine(evidence)) {
    const latest = last.get(message.process);
    if (latest !== undefined && message.confirmedAt < latest.sentAt)
      problems.push(
        `${message.id} was confirmed before ${latest.id} was sent, and begun after it by ${message.process}`,
      );
    if (latest === undefined || message.sentAt > latest.sentAt) last.set(message.process, message);
  }
  return problems;
}

/** Those of which an order is promised, in the order in which they were begun. */
export function messagesInLine(evidence: Evidence): InLine[] {
  const aloneFrom = whenAlone(evidence);
  const [queue] = entriesOf(evidence, 'registered').map((entry) => entry.queue);
  const confirmed = new Map(
    entriesOf(evidence, 'message-confirmed')
      .filter(({ queues }) => queue !== undefined && queues.includes(queue))
      .map((entry) => [entry.id, entry]),
  );
  const found = new Map<string, InLine>();
  for (const { queue: of, id, process } of entriesOf(evidence, 'message-begun')) {
    const receipt = confirmed.get(id);
    if (of !== queue || receipt === undefined || found.has(id)) continue;
    found.set(id, { id, process, sentAt: receipt.sentAt, confirmedAt: receipt.at });
  }
  return [...found.values()].filter(
    ({ process, sentAt }) => sentAt > (aloneFrom.get(process) ?? Number.POSITIVE_INFINITY),
  );
}

/** Process → when it was first seen to be the only one that is registered; another comes only when it has gone. */
function whenAlone(evidence: Evidence): Map<string, number> {
  const processes = new Map(
    entriesOf(evidence, 'registered').map(({ queue, registration, process }) => [`${queue} ${registration}`, process]),
  );
  const from = new Map<string, number>();
  for (const { queue, at, unacked } of evidence.queueSamples) {
    const [only, ...others] = Object.keys(unacked);
    const process = processes.get(`${queue} ${only}`);
    if (process !== undefined && others.length === 0 && !from.has(process)) from.set(process, at);
  }
  return from;
}
