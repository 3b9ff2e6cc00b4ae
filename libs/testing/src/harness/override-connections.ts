import { getMillraceOptionsToken, getMillraceToken, type Millrace, type MillraceModuleOptions } from '@millrace/nestjs';
import type { TestingModuleBuilder } from '@nestjs/testing';

/** Replaces the connections that `MillraceModule.forRoot` makes; the new ones get the same options. */
export function overrideConnections(
  builder: TestingModuleBuilder,
  names: readonly string[],
  make: (name: string, options: MillraceModuleOptions) => Millrace,
): void {
  for (const name of names) {
    builder.overrideProvider(getMillraceToken(name)).useFactory({
      inject: [getMillraceOptionsToken(name) as string],
      factory: async (options: MillraceModuleOptions) => {
        const millrace = make(name, options);
        await millrace.connect();
        return millrace;
      },
    });
  }
}
