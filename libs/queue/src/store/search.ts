import { argNames, asList, asText, keyNames, type RedisClient, Script } from '@millrace/redis';
import type { QueueKeys } from './keys.js';

const searchKeys = ['ids', 'messages'] as const;

// The messages that have an id, or one of some entries.
//
// KEYS
//   ids       :ids       read
//   messages  :messages  read
// ARGV     id  of messages
//          then entries
// RETURNS  the entries of those that live
// EFFECTS  none
const searchScript = new Script(`#!lua flags=no-writes
${keyNames(...searchKeys)}
${argNames('id')}
local answer = {}
local function look(entry)
  if redis.call('HEXISTS', messages, entry) == 1 then answer[#answer + 1] = entry end
end
for entry in (redis.call('HGET', ids, id) or ''):gmatch('%S+') do look(entry) end
for i = firstItem, #ARGV do look(ARGV[i]) end
return answer
`);

/** Entries of messages that have that id, and those of `entries` that are there. */
export async function entriesOfId(
  client: RedisClient,
  keys: QueueKeys,
  id: string,
  entries: readonly string[],
): Promise<string[]> {
  const scriptKeys = searchKeys.map((name) => keys[name]);
  return asList(await searchScript.run(client, scriptKeys, [id, ...entries])).map(asText);
}

/** A message's frame; undefined when it has ended. */
export async function frameOf(client: RedisClient, keys: QueueKeys, entry: string): Promise<Buffer | undefined> {
  return (await client.hgetBuffer(keys.messages, entry)) ?? undefined;
}
