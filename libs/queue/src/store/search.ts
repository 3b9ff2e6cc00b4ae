import { argNames, asBytes, asList, asText, keyNames, type RedisClient, Script } from '@millrace/redis';
import { idFragments } from './identity.js';
import type { QueueKeys } from './keys.js';

const searchKeys = ['ids', 'messages'] as const;

// Finds the messages with an id, or with one of some entries.
//
// KEYS
//   ids       :ids       read
//   messages  :messages  read
// ARGV     id  of messages
//          then entries
// RETURNS  the entries of those that are live
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

/** Entries of messages with that id, and those of `entries` that are live. */
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

/** Most names per call, and most bytes of frames in its reply, not counting the first. */
const mostNames = 250;
const mostBytes = 1024 * 1024;

// Finds messages by their names: ids or entries.
//
// KEYS
//   ids       :ids       read
//   messages  :messages  frames: read
// ARGV     mostBytes  of frames, but at least one frame
//          then names
// RETURNS  per name, until the limit of bytes is reached: entry and frame, or '' and '' when there is none
// EFFECTS  none
const namedScript = new Script(`#!lua flags=no-writes
${keyNames(...searchKeys)}
${argNames('mostBytes')}
${idFragments}
local answer, bytes = {}, 0
for i = firstItem, #ARGV do
  local name = ARGV[i]
  local entry = redis.call('HEXISTS', messages, name) == 1 and name or holderOf(ids, messages, name)
  local frame = entry and redis.call('HGET', messages, entry) or ''
  bytes = bytes + #frame
  if i > firstItem and bytes > tonumber(mostBytes) then break end
  answer[#answer + 1], answer[#answer + 2] = entry or '', frame
end
return answer
`);

/** Messages by their names, which are ids or entries; missing ones are left out. */
export async function messagesNamed(
  client: RedisClient,
  keys: QueueKeys,
  names: readonly string[],
): Promise<{ readonly name: string; readonly entry: string; readonly frame: Buffer }[]> {
  const scriptKeys = searchKeys.map((name) => keys[name]);
  const found: { name: string; entry: string; frame: Buffer }[] = [];
  for (let next = 0; next < names.length; ) {
    const asked = names.slice(next, next + mostNames);
    const reply = asList(await namedScript.run(client, scriptKeys, [mostBytes, ...asked]));
    for (let at = 0; at + 1 < reply.length; at += 2, next++) {
      const [name = '', entry, frame] = [names[next], asText(reply[at]), asBytes(reply[at + 1])];
      if (frame.length > 0) found.push({ name, entry, frame });
    }
  }
  return found;
}
