import { deadLettersOf } from '@millrace/core';
import { compareNames } from './topic-partition.js';

/** What a group member reads: topics by name, or all whose name matches, also those that are declared later. */
export type Subscription =
  | { readonly kind: 'topics'; readonly topics: readonly string[] }
  | { readonly kind: 'pattern'; readonly source: string; readonly flags: string };

/**
 * Builds the same value for equal subscriptions: names are sorted, and the flags `g` and `y`, which make a RegExp stateful, are dropped.
 */
export function subscribeTo(topics: readonly string[] | RegExp): Subscription {
  if (!(topics instanceof RegExp)) return { kind: 'topics', topics: [...new Set(topics)].sort(compareNames) };
  return { kind: 'pattern', source: topics.source, flags: topics.flags.replace(/[gy]/g, '') };
}

/** Which of `names` a subscription matches: a pattern matches none of `deadLetterTopics`, unless it names them. */
export function topicsTaken(
  subscription: Subscription,
  names: Iterable<string>,
  deadLetterTopics: ReadonlySet<string>,
): string[] {
  const all = [...names];
  if (subscription.kind === 'topics') return all.filter((name) => subscription.topics.includes(name));
  const { source, flags } = subscription;
  const pattern = new RegExp(source, flags);
  return all.filter((name) => pattern.test(name) && (!deadLetterTopics.has(name) || asksForDeadLetters(source, name)));
}

/** Whether a pattern names a dead-letter topic: its source contains `dead-letters`, or the topic's whole name. */
export function asksForDeadLetters(source: string, topic: string): boolean {
  const text = source.replace(/\\(.)/g, '$1').toLowerCase();
  return text.includes(deadLettersOf('').slice(1)) || text.includes(topic.toLowerCase());
}

export function isSubscription(value: unknown): value is Subscription {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false;
  if (value.kind === 'topics') {
    return 'topics' in value && Array.isArray(value.topics) && value.topics.every((name) => typeof name === 'string');
  }
  return value.kind === 'pattern' && 'source' in value && 'flags' in value && isPattern(value.source, value.flags);
}

/** Parses a subscription stored in Redis; undefined when it is invalid. */
export function parseSubscription(json: string): Subscription | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return isSubscription(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isPattern(source: unknown, flags: unknown): boolean {
  if (typeof source !== 'string' || typeof flags !== 'string') return false;
  try {
    return new RegExp(source, flags) instanceof RegExp;
  } catch {
    return false;
  }
}
