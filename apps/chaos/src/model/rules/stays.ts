import { type Evidence, entriesOf } from '../evidence.js';

/**
 * What was confirmed without an expiration by the queue without consumers is there, once, and in its order: trimming moves it
 * from list to list.
 */
export function findStayViolations(evidence: Evidence): string[] {
  const { stayed } = evidence.final;
  const places = new Map(stayed.map((id, place) => [id, place]));
  const problems = stayed.filter((id, place) => places.get(id) !== place).map((id) => `${id} is there twice`);
  const confirmed = entriesOf(evidence, 'stay-confirmed');
  for (const { id } of confirmed) if (!places.has(id)) problems.push(`${id} was confirmed, and is not there`);
  let latest: (typeof confirmed)[number] | undefined;
  const placed = confirmed.filter(({ id }) => places.has(id));
  for (const message of placed.toSorted((a, b) => (places.get(a.id) ?? 0) - (places.get(b.id) ?? 0))) {
    if (latest !== undefined && message.at < latest.sentAt)
      problems.push(`${message.id} was confirmed before ${latest.id} was sent, and stands behind it`);
    if (latest === undefined || message.sentAt > latest.sentAt) latest = message;
  }
  return problems;
}
