import { InvalidMessageError } from './errors.js';
import { isInstance, messageOf } from './failure.js';

/** How many problems an error lists; a batch may have thousands. */
const maxNamed = 10;
const maxNameLength = 60;

/** Collects the problems of the items of a list for one error that names each item by its place. */
export class InvalidItems {
  readonly #problems: string[] = [];
  #first: unknown;
  #count = 0;

  /** Adds the problem of the item at `place`. @throws `error` itself when it is not about the item */
  add(place: string, error: unknown): void {
    if (!isInstance(error, InvalidMessageError)) throw error;
    if (this.#count++ === 0) this.#first = error;
    if (this.#problems.length < maxNamed) this.#problems.push(`${place}: ${messageOf(error)}`);
  }

  /** One error for all of them. */
  error(): InvalidMessageError {
    const more = this.#count - this.#problems.length;
    const rest = more === 0 ? '' : `\n… and ${more} more of the batch`;
    return new InvalidMessageError(`${this.#problems.join('\n')}${rest}`, { cause: this.#first });
  }
}

/** A name within the place of an item: quoted, and shortened when it is long. */
export function quotedName(name: unknown): string {
  const text = String(name);
  return `"${text.length > maxNameLength ? `${text.slice(0, maxNameLength)}…` : text}"`;
}
