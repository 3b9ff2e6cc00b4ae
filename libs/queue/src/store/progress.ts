import { asInteger, lua, type RedisClient } from '@millrace/redis';
import type { ConsumerKeys } from './consumer-keys.js';

// Keeps what a handler reported as its progress, for as long as the message is its consumer's.
//
// KEYS 1 unacked:<me> 2 consumers 3 progress
// ARGV 1 my id 2 message id 3 progress as JSON
// RETURNS 1, or 0 when the message is not this consumer's
const progressScript = lua`#!lua
if not redis.call('ZSCORE', KEYS[2], ARGV[1]) or redis.call('SISMEMBER', KEYS[1], ARGV[2]) == 0 then return 0 end
redis.call('HSET', KEYS[3], ARGV[2], ARGV[3])
return 1
`;

export async function writeProgress(
  client: RedisClient,
  keys: ConsumerKeys,
  id: string,
  progress: string,
): Promise<boolean> {
  const scriptKeys = [keys.unacked, keys.all.consumers, keys.all.progress];
  return asInteger(await progressScript.run(client, scriptKeys, [keys.consumer, id, progress])) === 1;
}

/** Whether Redis has a message down as the consumer's. */
export async function isHeld(client: RedisClient, keys: ConsumerKeys, id: string): Promise<boolean> {
  const [deadline, isMember] = await Promise.all([
    client.zscore(keys.all.consumers, keys.consumer),
    client.sismember(keys.unacked, id),
  ]);
  return deadline !== null && isMember === 1;
}
