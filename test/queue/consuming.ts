import { fileURLToPath } from 'node:url';
import type { ConsumerInput } from '@millrace/queue';
import type { ConnectionInput } from '@millrace/redis';
import { type Program, spawnProgram } from '@millrace/testing';

/** Starts a consumer in a process of its own: see test/programs/queue-consumer.mjs. */
export async function spawnConsumer(
  server: { readonly connection: ConnectionInput },
  prefix: string,
  queue: string,
  consumer: Omit<Partial<ConsumerInput>, 'queue' | 'handler'> = {},
): Promise<Program> {
  const program = await spawnProgram(fileURLToPath(new URL('../programs/queue-consumer.mjs', import.meta.url)), {
    env: {
      CONNECTION: JSON.stringify(server.connection),
      PREFIX: prefix,
      QUEUE: queue,
      CONSUMER: JSON.stringify(consumer),
    },
  });
  await program.waitForLine('ready');
  return program;
}
