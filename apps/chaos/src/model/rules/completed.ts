import { type Evidence, entriesOf, messageIn } from '../evidence.js';
import { grouped } from '../grouped.js';

/** What a queue keeps of completed messages: each once, the newest, the newest first, and never more than its limit. */
export function findCompletedViolations(evidence: Evidence): string[] {
  const kept = grouped(evidence.final.completed, ({ queue }) => queue);
  return [
    ...exceeded(evidence),
    ...unknown(evidence),
    ...Object.entries(evidence.limits.completed).flatMap(([queue, limit]) => [
      ...misplaced(kept.get(queue) ?? []),
      ...missing(evidence, { queue, limit, kept: kept.get(queue) ?? [] }),
    ]),
  ];
}

/** Every message of a queue that keeps them has an id of its own, so there are two fields per message. */
function exceeded({ queueSamples, limits }: Evidence): string[] {
  return queueSamples.flatMap(({ queue, completed, completedFields }) => {
    const { [queue]: limit = Number.POSITIVE_INFINITY } = limits.completed;
    const problems: string[] = [];
    if (completed > limit) problems.push(`queue ${queue} kept ${completed} completed messages, at most ${limit}`);
    if (completedFields !== 2 * completed)
      problems.push(`queue ${queue} had ${completedFields} fields of ${completed} completed messages`);
    return problems;
  });
}

/** A consumer writes down that it handled a message before it tells Redis. */
function unknown(evidence: Evidence): string[] {
  const handled = new Set(entriesOf(evidence, 'message-handled').map(({ queue, id }) => messageIn(queue, id)));
  return evidence.final.completed
    .filter(({ queue, id }) => !handled.has(messageIn(queue, id)))
    .map(({ queue, id }) => `message ${id} of queue ${queue} is kept as completed, and was never handled`);
}

type Kept = Evidence['final']['completed'][number];

function misplaced(kept: readonly Kept[]): string[] {
  const places = new Map(kept.map(({ id }, place) => [id, place]));
  return kept.flatMap(({ queue, id, completedAt }, place) => {
    const problems: string[] = [];
    const before = kept[place - 1];
    if (places.get(id) !== place) problems.push(`message ${id} is kept twice in queue ${queue}`);
    if (before !== undefined && before.completedAt < completedAt)
      problems.push(`message ${id} of queue ${queue} was completed after ${before.id}, and is listed behind it`);
    return problems;
  });
}

/**
 * What was handled for the first time after the oldest that is kept was completed, was completed after that, too. What was not confirmed
 * may be gone, and a dead letter is not completed.
 */
function missing(
  evidence: Evidence,
  { queue, limit, kept }: { readonly queue: string; readonly limit: number; readonly kept: readonly Kept[] },
): string[] {
  const since = kept.length < limit ? 0 : Math.min(...kept.map(({ completedAt }) => completedAt));
  const { deadMessages } = evidence.final;
  const accounted = new Set([...kept, ...deadMessages.filter((dead) => dead.queue === queue)].map(({ id }) => id));
  const confirmed = entriesOf(evidence, 'message-confirmed').filter(({ queues }) => queues.includes(queue));
  const wanted = new Set(confirmed.map(({ id }) => id).filter((id) => !accounted.has(id)));
  const problems: string[] = [];
  for (const { queue: of, id, clockMs } of entriesOf(evidence, 'message-handled')) {
    // Only the first time counts: it may be the second one that came too late to complete it.
    if (of !== queue || !wanted.delete(id) || clockMs <= since) continue;
    problems.push(`message ${id} of queue ${queue} was completed after ${since}, and is not kept`);
  }
  return problems;
}
