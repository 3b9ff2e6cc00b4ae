import type { InjectionToken } from '@nestjs/common';
import type { Millrace } from '../module/millrace.js';
import { nameOf } from './definitions.js';

/** The name of the connection that `forRoot` makes without a name. */
export const defaultConnection = 'default';

// Nest's error for a dependency that it cannot find shows the token: so the token says what to do. A name is quoted as JSON, so that two
// names never make one token. Tokens are strings, the same in every copy of this package.

/** The token of a connection's {@link Millrace}. The class itself is another token of the default connection. */
export function getMillraceToken(connection: string = defaultConnection): InjectionToken<Millrace> {
  const name = connection === defaultConnection ? '' : `name: ${JSON.stringify(connection)}, `;
  return `${connectionOf(connection)} (import MillraceModule.forRoot({ ${name}connection: { url } }) in the root module)`;
}

/** The token of a connection's options, checked and with defaults: for tests that override them. */
export function getMillraceOptionsToken(connection: string = defaultConnection): InjectionToken {
  return `options of ${connectionOf(connection)}`;
}

/** The token of a producer: the connection's, or the one of a topic that `forFeature` declares. */
export function getProducerToken(
  topic?: string | { readonly name: string },
  connection: string = defaultConnection,
): InjectionToken {
  if (topic !== undefined) return declaredBy('topics', 'topic', nameOf(topic), connection);
  return `producer of ${connectionOf(connection)} (import MillraceModule.forRoot in the root module)`;
}

/** What `@InjectExchange` injects: for `overrideProvider` in tests, and for factories. */
export function getExchangeToken(
  exchange: string | { readonly name: string },
  connection: string = defaultConnection,
): InjectionToken {
  return declaredBy('exchanges', 'exchange', nameOf(exchange), connection);
}

/** What `@InjectQueue` injects: for `overrideProvider` in tests, and for factories. */
export function getQueueToken(
  queue: string | { readonly name: string },
  connection: string = defaultConnection,
): InjectionToken {
  return declaredBy('queues', 'queue', nameOf(queue), connection);
}

function declaredBy(list: string, kind: string, name: string, connection: string): string {
  const where = connection === defaultConnection ? '' : `connection: ${JSON.stringify(connection)}, `;
  const declared = kind === 'queue' ? JSON.stringify(name) : `{ name: ${JSON.stringify(name)} }`;
  return `${kind} ${JSON.stringify(name)} of ${connectionOf(connection)} (import MillraceModule.forFeature({ ${where}${list}: [${declared}] }) in this module)`;
}

function connectionOf(connection: string): string {
  return connection === defaultConnection ? 'Millrace' : `Millrace's connection ${JSON.stringify(connection)}`;
}
