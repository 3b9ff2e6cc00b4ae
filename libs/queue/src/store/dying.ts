import { asInteger, lua, orNothing, type RedisClient, Script } from '@millrace/redis';
import { endingKeys, endMessages } from './endings.js';
import { keyNames } from './key-names.js';
import type { QueueKeys } from './keys.js';

/** A dead letter on its way: its frame, and why it died, as JSON. */
export interface Dying {
  readonly entry: string;
  readonly why: string;
  readonly frame: Buffer;
}

/** Some of a queue's dead letters that are on their way. */
export async function someDying(client: RedisClient, keys: QueueKeys, cursor: string): Promise<[string, Dying[]]> {
  const [next, pairs] = await client.hscan(keys.dying, cursor, 'COUNT', 100);
  const entries = pairs.filter((_, index) => index % 2 === 0);
  if (entries.length === 0) return [next, []];
  const frames = await client.hmgetBuffer(keys.messages, ...entries);
  return [
    next,
    entries.flatMap((entry, index) => {
      const frame = frames[index];
      const why = pairs[index * 2 + 1] ?? '';
      return frame === null || frame === undefined ? [] : [{ entry, why, frame }];
    }),
  ];
}

const arrivedKeys = [...endingKeys, 'state', 'dying'] as const;

// Forgets dead letters that have arrived.
//
// KEYS those of `arrivedKeys`
// ARGV entries
// RETURNS how many were still here
const arrivedScript = new Script(`#!lua flags=allow-oom
${keyNames(...arrivedKeys)}
${endMessages}
local gone = redis.call('HDEL', dying, unpack(ARGV))
endMessages(ARGV, 0, false)
redis.call('HINCRBY', state, 'dead-lettered', gone)
return gone
`);

export async function deadLettersArrived(
  client: RedisClient,
  keys: QueueKeys,
  entries: readonly string[],
): Promise<number> {
  const scriptKeys = arrivedKeys.map((name) => keys[name]);
  return asInteger(await arrivedScript.run(client, scriptKeys, entries));
}

/** The queue's settings as JSON; undefined when there is no such queue. */
export async function queueSettingsJson(client: RedisClient, keys: QueueKeys): Promise<string | undefined> {
  return orNothing(await client.hget(keys.settings, 'settings'), String);
}

// Sets a dead letter aside in its own queue, because it has no other place to go.
//
// KEYS 1 dying 2 parked 3 messages
// ARGV 1 entry
// RETURNS 1, or 0 when it was not dying
const parkScript = lua`#!lua flags=allow-oom
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
local time = redis.call('TIME')
if redis.call('HEXISTS', KEYS[3], ARGV[1]) == 1 then
  redis.call('ZADD', KEYS[2], time[1] * 1000 + math.floor(time[2] / 1000), ARGV[1])
end
return 1
`;

export async function parkDying(client: RedisClient, keys: QueueKeys, entry: string): Promise<void> {
  await parkScript.run(client, [keys.dying, keys.parked, keys.messages], [entry]);
}
