import { argNames, asInteger, keyNames, type RedisClient, Script } from '@millrace/redis';
import type { ConsumerKeys } from './consumer-keys.js';

// Keeps the progress that a handler reported, as long as the consumer holds the message.
//
// KEYS
//   unacked    :unacked:<me>  whether I hold the message: read
//   consumers  :consumers     whether my registration exists: read
//   progress   :progress      the progress: written
// ARGV     me        my id
//          entry     of the message
//          reported  its progress, as JSON
// RETURNS  1, or 0 when the consumer does not hold the message: then nothing was done
// EFFECTS  see KEYS
const progressScript = new Script(`#!lua
${keyNames('unacked', 'consumers', 'progress')}
${argNames('me', 'entry', 'reported')}
if not redis.call('ZSCORE', consumers, me) or redis.call('SISMEMBER', unacked, entry) == 0 then return 0 end
redis.call('HSET', progress, entry, reported)
return 1
`);

export async function writeProgress(
  client: RedisClient,
  keys: ConsumerKeys,
  id: string,
  progress: string,
): Promise<boolean> {
  const scriptKeys = [keys.unacked, keys.all.consumers, keys.all.progress];
  return asInteger(await progressScript.run(client, scriptKeys, [keys.consumer, id, progress])) === 1;
}

/** Whether the consumer holds a message in Redis. */
export async function isHeld(client: RedisClient, keys: ConsumerKeys, id: string): Promise<boolean> {
  const [deadline, isMember] = await Promise.all([
    client.zscore(keys.all.consumers, keys.consumer),
    client.sismember(keys.unacked, id),
  ]);
  return deadline !== null && isMember === 1;
}
