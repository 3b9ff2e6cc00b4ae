import { DamagedStateError, isInstance } from '@millrace/core';
import { keyList } from './prepared-arguments.js';
import { isDeniedInScript } from './redis-failure.js';
import type { ScriptCall } from './script-command.js';

/** What a script of Millrace replies that found a value that it cannot use, and Redis for one that stopped half-way. */
const stopped = /^DAMAGED |^(ERR|WRONGTYPE) .*\buser_script:/s;
const remedy =
  'Another program wrote there, or it was changed by hand. Declare the queue or topic again, which repairs its settings; ' +
  'a key of another type must be removed.';

/** How many keys a message names: a publish may touch many queues. */
const mostNamed = 5;

/**
 * A script that fails on the values of its keys has a Lua error: it becomes an error that names the keys. Any other error (no right, no
 * memory, an outage) is returned as it is.
 */
export function scriptFailure(error: unknown, { keys }: Pick<ScriptCall, 'keys'>): unknown {
  if (!isInstance(error, Error) || error.name !== 'ReplyError' || !stopped.test(error.message)) return error;
  if (/unknown (redis )?command/i.test(error.message) || isDeniedInScript(error)) return error;
  const bases = keyList(keys).flatMap((key) => /^.*?\{[^}]*\}/.exec(key)?.[0] ?? []);
  const named = [...new Set(bases)].slice(0, mostNamed);
  const problem = error.message.replace(/^(ERR|DAMAGED) /, '').replace(/ script: .*$/s, '');
  return new DamagedStateError(
    { object: 'Redis', key: named.map((base) => `${base}:*`).join(', '), remedy },
    [problem],
    { cause: error },
  );
}

/** A command that met a key of another type says which it was; anything else stays as it is. */
export function commandFailure(error: unknown): unknown {
  if (!isInstance(error, Error) || error.name !== 'ReplyError' || !error.message.startsWith('WRONGTYPE')) return error;
  const { args: [key = '?'] = [] }: { args?: readonly unknown[] } = Reflect.get(error, 'command') ?? {};
  const place = { object: 'Redis', key: String(key).slice(0, 1000), remedy };
  return new DamagedStateError(place, ['it is a key of another type'], { cause: error });
}
