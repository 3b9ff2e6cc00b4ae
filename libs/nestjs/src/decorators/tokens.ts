import { escapeName } from '@millrace/core';
import type { InjectionToken } from '@nestjs/common';
import type { Millrace } from '../module/millrace.js';
import { nameOf } from './definitions.js';

/** The name of the connection that `forRoot` makes without a name. */
export const defaultConnection = 'default';

/**
 * The token of a connection's {@link Millrace}: a string, the same in every copy of this package. The class itself is another token of the
 * default connection.
 */
export function getMillraceToken(connection: string = defaultConnection): InjectionToken<Millrace> {
  return tokenOf(connection);
}

/** The token of a connection's options, checked and with defaults: for tests that override them. */
export function getMillraceOptionsToken(connection: string = defaultConnection): InjectionToken {
  return `${tokenOf(connection)}:options`;
}

/** The token of a producer: the connection's, or the one of a topic that `forFeature` declares. */
export function getProducerToken(
  topic?: string | { readonly name: string },
  connection: string = defaultConnection,
): InjectionToken {
  return topic === undefined ? `${tokenOf(connection)}:producer` : `${tokenOf(connection)}:topic:${nameOf(topic)}`;
}

/** What `@InjectExchange` injects: for `overrideProvider` in tests, and for factories. */
export function getExchangeToken(
  exchange: string | { readonly name: string },
  connection: string = defaultConnection,
): InjectionToken {
  return `${tokenOf(connection)}:exchange:${nameOf(exchange)}`;
}

/** What `@InjectQueue` injects: for `overrideProvider` in tests, and for factories. */
export function getQueueToken(
  queue: string | { readonly name: string },
  connection: string = defaultConnection,
): InjectionToken {
  return `${tokenOf(connection)}:queue:${nameOf(queue)}`;
}

/** Escaped, since a name may contain colons and the token would be that of another connection. */
function tokenOf(connection: string): string {
  return `millrace:${escapeName(connection)}`;
}
