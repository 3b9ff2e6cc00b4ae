import { OptionsError } from '@millrace/core';
import type { FactoryProvider, InjectionToken } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { defaultConnection, getMillraceToken } from '../decorators/tokens.js';
import type { Millrace } from './millrace.js';

/**
 * The connection of a `forFeature`. Nest's own error for a missing one would name neither `forRoot` nor the connection.
 *
 * @throws {OptionsError} there is no `forRoot` for it
 */
export function featureConnection(connection: string): FactoryProvider & { readonly provide: InjectionToken } {
  const token = getMillraceToken(connection);
  return {
    provide: Symbol(`millrace:${connection}:connection of a feature`),
    inject: [{ token, optional: true }, ModulesContainer],
    useFactory: (millrace: Millrace | undefined, modules: ModulesContainer) => {
      if (millrace !== undefined) return millrace;
      if (![...modules.values()].some(({ providers }) => providers.has(token))) throw missing(connection);
      // It is there and failed: Nest fails with its error, which it keeps from optional dependencies.
      return new Promise<never>(() => undefined);
    },
  };
}

function missing(connection: string): OptionsError {
  const [which, name] =
    connection === defaultConnection
      ? ['no connection', '']
      : [`no connection "${connection}"`, `name: '${connection}', `];
  return new OptionsError('MillraceModule.forFeature', [
    `there is ${which}: import MillraceModule.forRoot({ ${name}connection: { url: 'redis://localhost:6379' } }) once, in the root module`,
  ]);
}
