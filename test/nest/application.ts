import { MillraceModule, type MillraceModuleInput } from '@millrace/nestjs';
import type { RedisServer } from '@millrace/testing';
import type { INestApplication, ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';

let installations = 0;

/** Options for a connection that shares nothing with other tests on the same server. */
export function connectionTo(
  server: { readonly url: string },
  rest: Partial<MillraceModuleInput> = {},
): MillraceModuleInput {
  return { connection: { url: server.url, prefix: `test-${process.pid}-${installations++}` }, logging: false, ...rest };
}

/** An application of these modules and providers, with Millrace at `server`, up to and including its start. */
export async function startApplication(
  options: MillraceModuleInput,
  { imports = [], ...metadata }: ModuleMetadata = {},
): Promise<INestApplication> {
  const application = await createApplication(options, { imports, ...metadata });
  await application.init();
  return application;
}

/** The same, not started. */
export async function createApplication(
  options: MillraceModuleInput,
  { imports = [], ...metadata }: ModuleMetadata = {},
): Promise<INestApplication> {
  const module = await Test.createTestingModule({
    imports: [MillraceModule.forRoot(options), ...imports],
    ...metadata,
  }).compile();
  return module.createNestApplication({ logger: false });
}

/** The time of some replies of Redis, one after the other: a fault that is only a turn away shows itself until then. */
export async function someReplies(server: RedisServer): Promise<void> {
  const client = server.client();
  for (let count = 0; count < 20; count++) await client.ping();
  client.disconnect();
}

/** Closes an application while a handler runs, and lets that handler end some replies of Redis later. */
export async function closeDuringHandler(
  server: RedisServer,
  { close, finish }: { readonly close: () => Promise<unknown>; readonly finish: () => void },
): Promise<void> {
  const closing = close();
  await someReplies(server);
  finish();
  await closing;
}
