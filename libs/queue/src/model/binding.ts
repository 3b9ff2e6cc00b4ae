import {
  checkedHeaders,
  type Headers,
  type HeadersInput,
  nameProblem,
  noHeaders,
  OptionsError,
  topicNameProblem,
} from '@millrace/core';
import type { ExchangeType } from './exchange-settings.js';
import { headerMatchKinds } from './headers-match.js';
import { routingKeyProblem } from './routing-key.js';
import { countHashWords, maxHashWords } from './topic-pattern.js';

/** The kinds of destination of a binding. A topic is a partitioned log: see @millrace/bridge. */
export const destinationKinds = ['queue', 'exchange', 'topic'] as const;
/** A `queue`, another `exchange`, or a `topic`. */
export type DestinationKind = (typeof destinationKinds)[number];

/** A rule of an exchange: messages that match go to the destination. */
export interface Binding {
  /** The exchange's name. */
  readonly source: string;
  /** The kind of the destination. */
  readonly kind: DestinationKind;
  /** The name of the destination. */
  readonly destination: string;
  /** A key (direct), a pattern (topic), a weight (consistent-hash); the others ignore it. `''` is legal. */
  readonly routingKey: string;
  /** The headers that a headers exchange compares. */
  readonly arguments: Headers;
}

/** A binding as users write it: `{ exchange: 'orders', queue: 'mail', routingKey: 'order.*' }`. */
export type BindingDeclaration = {
  /** The source. */
  readonly exchange: string;
  /** Default `''`. */
  readonly routingKey?: string | undefined;
  readonly arguments?: HeadersInput | undefined;
} & (
  | { readonly queue: string; readonly toExchange?: undefined; readonly topic?: undefined }
  | { readonly toExchange: string; readonly queue?: undefined; readonly topic?: undefined }
  | { readonly topic: string; readonly queue?: undefined; readonly toExchange?: undefined }
);

/** @throws {OptionsError} with every problem that can be found without the exchange */
export function resolveBinding(declaration: BindingDeclaration): Binding {
  const given: Record<string, unknown> = { ...declaration };
  const problems: string[] = [];
  const known = ['exchange', 'routingKey', 'arguments', 'queue', 'toExchange', 'topic'];
  for (const key of Object.keys(given)) if (!known.includes(key)) problems.push(`unknown option ${key}`);
  const { exchange, routingKey = '', arguments: bindingArguments = noHeaders } = declaration;
  if (exchange === '')
    problems.push('the default exchange "" cannot be bound to: every queue is bound to it by its name');
  else push(problems, nameProblem('exchange', exchange));
  const destinations = [
    ['queue', declaration.queue],
    ['exchange', declaration.toExchange],
    ['topic', declaration.topic],
  ] as const;
  const named = destinations.filter(([, name]) => name !== undefined);
  const [kind, destination] = named[0] ?? (['queue', ''] as const);
  if (named.length !== 1) problems.push('name one destination: queue, toExchange or topic');
  else push(problems, kind === 'topic' ? topicNameProblem(destination) : nameProblem(kind, destination));
  push(problems, routingKeyProblem(routingKey));
  const checked = checkArguments(bindingArguments, problems);
  if (problems.length > 0) throw new OptionsError(`binding of exchange ${JSON.stringify(exchange)}`, problems);
  const sorted = Object.fromEntries(Object.entries(checked).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { source: exchange, kind, destination: destination ?? '', routingKey, arguments: sorted };
}

/** What is wrong with a binding for an exchange of this type; undefined when nothing is. */
export function bindingProblem(binding: Binding, type: ExchangeType): string | undefined {
  if (type === 'topic' && countHashWords(binding.routingKey) > maxHashWords) {
    return `pattern "${binding.routingKey}" has more than ${maxHashWords} "#" words`;
  }
  const kind = binding.arguments['x-match'];
  if (type === 'headers' && kind !== undefined && !headerMatchKinds.some((known) => known === kind)) {
    return `argument x-match must be one of ${headerMatchKinds.join(', ')}, got ${JSON.stringify(kind)}`;
  }
  if (type === 'consistent-hash' && !/^[1-9]\d{0,8}$/.test(binding.routingKey)) {
    return `the routing key of a binding of a consistent-hash exchange is its weight, a whole number from 1, got "${binding.routingKey}"`;
  }
  return undefined;
}

/** Two bindings with the same id are the same binding. */
export function bindingId(binding: Binding): string {
  const { source, kind, destination, routingKey } = binding;
  return JSON.stringify([source, kind, destination, routingKey, binding.arguments]);
}

export function describeBinding({ source, kind, destination, routingKey }: Binding): string {
  return `${source} → ${kind} ${destination} ("${routingKey}")`;
}

function checkArguments(bindingArguments: HeadersInput, problems: string[]): Headers {
  try {
    return checkedHeaders('binding arguments', bindingArguments);
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
    return noHeaders;
  }
}

function push(problems: string[], problem: string | undefined): void {
  if (problem !== undefined) problems.push(problem);
}
