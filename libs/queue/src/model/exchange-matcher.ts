import type { Headers } from '@millrace/core';
import type { Binding } from './binding.js';
import type { ExchangeSettings } from './exchange-settings.js';
import { headerCondition, headersMatch } from './headers-match.js';
import { chooseByHash } from './rendezvous.js';
import { TopicTrie } from './topic-trie.js';

/** The parts of a message that routing uses. */
export interface Routable {
  readonly routingKey: string;
  readonly headers: Headers;
  readonly messageId?: string | undefined;
  readonly correlationId?: string | undefined;
}

/** Calls `found` with every matching binding of one exchange; a destination can be found more than once. */
export type ExchangeMatcher = (message: Routable, found: (binding: Binding) => void) => void;

/** Prepares the bindings of one exchange for matching. */
export function exchangeMatcher(exchange: ExchangeSettings, bindings: readonly Binding[]): ExchangeMatcher {
  switch (exchange.type) {
    case 'direct':
      return direct(bindings);
    case 'fanout':
      return (_, found) => bindings.forEach(found);
    case 'topic':
      return topic(bindings);
    case 'headers':
      return headers(bindings);
    case 'consistent-hash':
      return consistentHash(exchange.hashOn ?? 'routing-key', bindings);
    default:
      return exchange.type satisfies never;
  }
}

/** Whether the routing key alone decides where a message of this exchange goes: only then is its route cached. */
export function isDecidedByKey({ type, hashOn = 'routing-key' }: ExchangeSettings): boolean {
  switch (type) {
    case 'direct':
    case 'fanout':
    case 'topic':
      return true;
    case 'consistent-hash':
      return hashOn === 'routing-key';
    default:
      return false;
  }
}

function direct(bindings: readonly Binding[]): ExchangeMatcher {
  const byKey = new Map<string, Binding[]>();
  for (const binding of bindings) {
    const same = byKey.get(binding.routingKey);
    if (same === undefined) byKey.set(binding.routingKey, [binding]);
    else same.push(binding);
  }
  return ({ routingKey }, found) => byKey.get(routingKey)?.forEach(found);
}

function topic(bindings: readonly Binding[]): ExchangeMatcher {
  const trie = new TopicTrie<Binding>();
  for (const binding of bindings) trie.add(binding.routingKey, binding);
  return ({ routingKey }, found) => trie.match(routingKey, found);
}

function headers(bindings: readonly Binding[]): ExchangeMatcher {
  const conditions = bindings.map((binding) => ({ binding, condition: headerCondition(binding.arguments) }));
  return (message, found) => {
    for (const { binding, condition } of conditions) if (headersMatch(condition, message.headers)) found(binding);
  };
}

/** A message without the header or property to hash counts as having an empty one. */
function consistentHash(hashOn: string, bindings: readonly Binding[]): ExchangeMatcher {
  const choices = bindings.map((binding) => ({
    name: `${binding.kind}:${binding.destination}`,
    weight: Number(binding.routingKey),
    value: binding,
  }));
  const header = hashOn.startsWith('header:') ? hashOn.slice('header:'.length) : undefined;
  const keyOf = (message: Routable): string => {
    if (header !== undefined) return String(message.headers[header] ?? '');
    if (hashOn === 'message-id') return message.messageId ?? '';
    return hashOn === 'correlation-id' ? (message.correlationId ?? '') : message.routingKey;
  };
  return (message, found) => {
    const chosen = chooseByHash(keyOf(message), choices);
    if (chosen !== undefined) found(chosen);
  };
}
