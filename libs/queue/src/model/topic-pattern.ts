// RabbitMQ's rules for topic exchanges (rabbit_topic_trie), unlike a regular expression's: words are separated by
// dots, "" has no words, `*` matches exactly one word (an empty one too), `#` any number, and both only as whole words.

/** Most `#` words in a binding's key, as in RabbitMQ since 4.3.5: each further one multiplies the ways to match. */
export const maxHashWords = 2;

/** The words of a routing key or pattern. `""` has none; `"."` has two empty ones. */
export function wordsOf(key: string): string[] {
  return key === '' ? [] : key.split('.');
}

/** Whether a pattern has a wildcard. */
export function isPattern(key: string): boolean {
  return (key.includes('*') || key.includes('#')) && wordsOf(key).some((word) => word === '*' || word === '#');
}

export function countHashWords(key: string): number {
  return wordsOf(key).filter((word) => word === '#').length;
}

/**
 * Whether a topic exchange sends a message with `routingKey` through a binding with `pattern`, exactly as RabbitMQ does.
 * Any number of `#` words is understood here; a binding may have two.
 */
export function topicMatches(pattern: string, routingKey: string): boolean {
  const words = wordsOf(routingKey);
  // reached[i]: the pattern's words so far can match exactly the key's first i words.
  let reached: boolean[] = words.map(() => false);
  reached.unshift(true);
  for (const part of wordsOf(pattern)) {
    const next: boolean[] = new Array(words.length + 1).fill(false);
    for (let taken = 0; taken <= words.length; taken++) {
      if (part === '#') next[taken] = reached[taken] === true || (taken > 0 && next[taken - 1] === true);
      else if (taken > 0 && reached[taken - 1] === true) next[taken] = part === '*' || part === words[taken - 1];
    }
    reached = next;
  }
  return reached[words.length] === true;
}
