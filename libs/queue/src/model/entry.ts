import { hash } from 'node:crypto';

/**
 * An entry is the name of a message in one queue's lists and sets: ASCII, and used once. Where a publisher gave no id it is the
 * message's id as well. Scripts see by its first character whether the frame has an id: `.` a new message with its own
 * id, `~` one that comes from another queue.
 */
export type Entry = string;

/**
 * Entries that are unique to a process: a random prefix of eight characters and a counter. They are short because a waiting
 * message stores its entry twice, in the hash and in the list; up to 14 characters fit the smallest string that Redis allocates.
 */
export class Entries {
  readonly #prefix: string;
  #count = 0;

  /** @param random at least six random bytes, unique to the process */
  constructor(random: Buffer) {
    this.#prefix = random.toString('base64url').slice(0, 8);
  }

  next(): Entry {
    return this.#prefix + (this.#count++).toString(36);
  }

  /** For a message whose frame has an id. */
  nextWithId(): Entry {
    return `.${this.next()}`;
  }
}

/** The entry that a dead letter had before it died: one that expired in the middle of a list goes on as `<entry>!`. */
export function entryInLife(entry: Entry): Entry {
  return entry.endsWith('!') ? entry.slice(0, -1) : entry;
}

/** The entry under which a message goes from a slot into other queues. It is the same for every attempt. */
export function entryAfter(slot: string, entry: Entry): Entry {
  const digest = hash('sha1', `${slot}\n${entry}`, 'base64url');
  return `~${digest.slice(0, 20)}`;
}
