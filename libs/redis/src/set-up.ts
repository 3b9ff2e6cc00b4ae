import type { Redis } from 'ioredis';

/** The commands with which ioredis sets a connection up. It continues when one of them is refused. */
const commands = ['auth', 'select', 'client', 'readonly'] as const;

/** The server refused a command that sets a connection up. */
export class SetUpError extends Error {
  /** @param command for example `SELECT 99`; never with a password */
  constructor(
    readonly command: string,
    override readonly cause: Error,
  ) {
    super(cause.message, { cause });
  }
}

/**
 * Makes a client close and reopen a connection that could not be set up instead of using it: ioredis would write into database 0 where
 * SELECT was refused, and as the default user where AUTH was. The reason is emitted as an `error`.
 */
export function refuseHalfASetUp(client: Redis): void {
  for (const name of commands) {
    const send: unknown = Reflect.get(client, name);
    if (!(send instanceof Function)) throw new Error(`this version of ioredis sends ${name} in another way`);
    Reflect.set(client, name, (...args: unknown[]): unknown => {
      const sent: unknown = Reflect.apply(send, client, args);
      // CLIENT ID, which other code sends at this time, is not part of it.
      const isSetUp = client.status === 'connect' && (name !== 'client' || args[0] === 'setname');
      return isSetUp && sent instanceof Promise ? watched(client, name, args, sent) : sent;
    });
  }
}

/**
 * When the server refuses, the promise that ioredis gets is never settled: ioredis would print some refusals on the console and go on
 * with a connection that is being closed.
 */
function watched(client: Redis, name: string, args: readonly unknown[], sent: Promise<unknown>): Promise<unknown> {
  return sent.catch((error: unknown) => {
    if (!(error instanceof Error) || error.name !== 'ReplyError') throw error;
    const [first = '', ...rest] = name === 'auth' ? [] : args.map(String);
    if (client.listenerCount('error') > 0) {
      client.emit('error', new SetUpError([name.toUpperCase(), first.toUpperCase(), ...rest].join(' ').trim(), error));
    }
    client.disconnect(true);
    return new Promise(() => undefined);
  });
}
