import { isPattern, wordsOf } from './topic-pattern.js';

/** A word of some patterns. A `#` node also takes any further words, so it remains active. */
interface Node<T> {
  words: Map<string, Node<T>> | undefined;
  star: Node<T> | undefined;
  hash: Node<T> | undefined;
  readonly takesMore: boolean;
  /** The step in which it was last entered: cheaper than a set of nodes per step. */
  step: number;
  values: T[] | undefined;
}

/**
 * The bindings of one topic exchange. Keys without a wildcard are a look-up; patterns are a trie that is walked word by
 * word with a set of nodes, so that no pattern, however many `#` it has, makes the walk longer than
 * words × nodes.
 */
export class TopicTrie<T> {
  readonly #exact = new Map<string, T[]>();
  readonly #root: Node<T> = node(false);
  #hasPatterns = false;
  #step = 0;

  add(pattern: string, value: T): void {
    if (!isPattern(pattern)) {
      const values = this.#exact.get(pattern);
      if (values === undefined) this.#exact.set(pattern, [value]);
      else values.push(value);
      return;
    }
    this.#hasPatterns = true;
    let place = this.#root;
    for (const word of wordsOf(pattern)) place = step(place, word);
    place.values ??= [];
    place.values.push(value);
  }

  /** Calls `found` with the value of every binding that matches. */
  match(routingKey: string, found: (value: T) => void): void {
    for (const value of this.#exact.get(routingKey) ?? []) found(value);
    if (!this.#hasPatterns) return;
    let places: Node<T>[] = [];
    this.#enter(this.#root, places, ++this.#step);
    for (const word of wordsOf(routingKey)) {
      const next: Node<T>[] = [];
      const step = ++this.#step;
      for (const place of places) {
        if (place.takesMore) this.#enter(place, next, step);
        if (place.star !== undefined) this.#enter(place.star, next, step);
        const exact = place.words?.get(word);
        if (exact !== undefined) this.#enter(exact, next, step);
      }
      if (next.length === 0) return;
      places = next;
    }
    for (const place of places) for (const value of place.values ?? []) found(value);
  }

  /** Entering a node also enters its `#`, which may match no word. */
  #enter(place: Node<T>, places: Node<T>[], step: number): void {
    for (let here: Node<T> | undefined = place; here !== undefined && here.step !== step; here = here.hash) {
      here.step = step;
      places.push(here);
    }
  }
}

function step<T>(place: Node<T>, word: string): Node<T> {
  if (word === '*') {
    place.star ??= node(false);
    return place.star;
  }
  if (word === '#') {
    place.hash ??= node(true);
    return place.hash;
  }
  place.words ??= new Map();
  let next = place.words.get(word);
  if (next === undefined) {
    next = node(false);
    place.words.set(word, next);
  }
  return next;
}

function node<T>(takesMore: boolean): Node<T> {
  return { words: undefined, star: undefined, hash: undefined, takesMore, step: 0, values: undefined };
}
