import { compareNames } from './topic-partition.js';

/** What a member of a group wants to read: topics by name, or all whose name matches, also those that appear later. */
export type Subscription =
  | { readonly kind: 'topics'; readonly topics: readonly string[] }
  | { readonly kind: 'pattern'; readonly source: string; readonly flags: string };

/** One value a subscription: names are sorted, and `g` and `y`, which make a RegExp remember where it was, are dropped. */
export function subscribeTo(topics: readonly string[] | RegExp): Subscription {
  if (!(topics instanceof RegExp)) return { kind: 'topics', topics: [...new Set(topics)].sort(compareNames) };
  return { kind: 'pattern', source: topics.source, flags: topics.flags.replace(/[gy]/g, '') };
}

/** Which of `names` a subscription takes. */
export function topicsTaken(subscription: Subscription, names: Iterable<string>): string[] {
  const all = [...names];
  if (subscription.kind === 'topics') return all.filter((name) => subscription.topics.includes(name));
  const pattern = new RegExp(subscription.source, subscription.flags);
  return all.filter((name) => pattern.test(name));
}

export function isSubscription(value: unknown): value is Subscription {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false;
  if (value.kind === 'topics') return 'topics' in value && Array.isArray(value.topics);
  return value.kind === 'pattern' && 'source' in value && 'flags' in value;
}
