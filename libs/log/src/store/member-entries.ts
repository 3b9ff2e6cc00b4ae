import { asList, asText } from '@millrace/redis';

/** What is kept of a member: its incarnation, and its subscription as JSON. */
export interface StoredMember {
  readonly incarnation: string;
  readonly subscription: string;
}

/** Members as a hash of them arrives: id, entry, id, entry … */
export function readMembers(reply: unknown): ReadonlyMap<string, StoredMember> {
  const list = asList(reply);
  const members = new Map<string, StoredMember>();
  for (let index = 0; index + 1 < list.length; index += 2) {
    members.set(asText(list[index]), readMemberEntry(asText(list[index + 1])));
  }
  return members;
}

/** An entry is the incarnation, a space, and the subscription. */
export function readMemberEntry(entry: string): StoredMember {
  const space = entry.indexOf(' ');
  return { incarnation: entry.slice(0, space), subscription: entry.slice(space + 1) };
}
