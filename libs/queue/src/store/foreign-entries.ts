import { asText, keyNames, type RedisClient, Script } from '@millrace/redis';
import { entryAfter } from '../model/entry.js';
import type { ConsumerKeys } from './consumer-keys.js';

// Renames the entries of a consumer's messages.
//
// KEYS
//   messages  :messages      frames: moved to their new entries
//   unacked   :unacked:<me>  entries: replaced
// ARGV     for each message: its entry, its new entry
// RETURNS  nothing
// EFFECTS  see KEYS; an entry that does not belong to the consumer is left alone
const renameScript = new Script(`#!lua flags=allow-oom
${keyNames('messages', 'unacked')}
for i = 1, #ARGV, 2 do
  local old, new = ARGV[i], ARGV[i + 1]
  if redis.call('SREM', unacked, old) == 1 then
    local frame = redis.call('HGET', messages, old)
    if frame then
      redis.call('HDEL', messages, old)
      redis.call('HSET', messages, new, frame)
    end
    redis.call('SADD', unacked, new)
  end
end
`);

/** Whether Millrace neither makes such an entry nor can send it to Redis again: its bytes are not a valid string. */
export function isForeign(entry: string): boolean {
  return entry.includes('\uFFFD');
}

/** The entries of a consumer's messages as strings: foreign ones get names with which they can be settled. */
export async function namedEntries(
  client: RedisClient,
  { all, unacked, queue }: ConsumerKeys,
  entries: readonly Buffer[],
): Promise<string[]> {
  const names = entries.map(asText);
  const renamed: (Buffer | string)[] = [];
  for (const [index, entry] of entries.entries()) {
    if (!isForeign(names[index] ?? '')) continue;
    const name = entryAfter(queue, entry.toString('latin1'));
    names[index] = name;
    renamed.push(entry, name);
  }
  if (renamed.length > 0) await renameScript.run(client, [all.messages, unacked], renamed);
  return names;
}
