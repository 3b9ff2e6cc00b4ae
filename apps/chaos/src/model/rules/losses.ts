import { type Evidence, entriesOf, messageIn, recordId } from '../evidence.js';

/** What was confirmed and neither handled nor kept as a dead letter. */
export function findLosses(evidence: Evidence): string[] {
  return [...lostRecords(evidence), ...lostMessages(evidence)];
}

function lostRecords(evidence: Evidence): string[] {
  const known = new Set([...entriesOf(evidence, 'record-handled'), ...evidence.final.deadRecords].map(recordId));
  return entriesOf(evidence, 'record-confirmed')
    .filter((record) => !known.has(recordId(record)))
    .map(
      (record) => `record ${recordId(record)} was confirmed at ${record.partition}@${record.offset} and never handled`,
    );
}

/** A message has to be handled once in every queue that its receipt names. */
function lostMessages(evidence: Evidence): string[] {
  const dead = new Set(evidence.final.deadMessages.map(({ queue, id }) => messageIn(queue, id)));
  const known = new Set(dead);
  for (const { queue, id } of entriesOf(evidence, 'message-handled')) known.add(messageIn(queue, id));
  return entriesOf(evidence, 'message-confirmed').flatMap(({ id, queues, deadLetteredBy }) => [
    ...queues
      .filter((queue) => !known.has(messageIn(queue, id)))
      .map((queue) => `message ${id} was confirmed by queue ${queue} and never handled`),
    ...deadLetteredBy
      .filter((queue) => !dead.has(messageIn(queue, id)))
      .map((queue) => `message ${id} was dead-lettered by queue ${queue} and is not there`),
  ]);
}
