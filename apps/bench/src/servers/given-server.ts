import type { AbsentServer } from './found-server.js';

/**
 * A server that an environment variable names, asked before anything is measured: a run must not find out measurement by
 * measurement that there is no server. Undefined when the variable is not set.
 */
export async function givenServer<T>(
  variable: string,
  ask: (address: string) => Promise<T>,
): Promise<T | AbsentServer | undefined> {
  const address = process.env[variable];
  if (address === undefined || address === '') return undefined;
  try {
    return await ask(address);
  } catch (error) {
    return { absent: `what ${variable} names does not answer: ${reasonOf(error)}` };
  }
}

/** One line. A name with several addresses (`localhost`) fails with an error of each and no words of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return reasonOf(error.errors[0]);
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
