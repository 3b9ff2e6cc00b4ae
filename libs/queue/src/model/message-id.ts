/**
 * Ids that no other process makes: a random prefix of eight characters and a counter. They are short because a waiting
 * message pays for its id twice, in the hash and in the list; up to 14 characters fit the smallest string that Redis allocates.
 */
export class MessageIds {
  readonly #prefix: string;
  #count = 0;

  /** @param random at least six random bytes, a process's own */
  constructor(random: Buffer) {
    this.#prefix = random.toString('base64url').slice(0, 8);
  }

  next(): string {
    return this.#prefix + (this.#count++).toString(36);
  }
}
