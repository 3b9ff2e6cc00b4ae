import { lua, type RedisClient } from '@millrace/redis';
import { samplerKey } from './keys.js';

/*
 * Takes or extends the lease.
 * KEYS 1 lease
 * ARGV 1 who asks  2 for how long, in ms
 * RETURNS 1 it has it, 0 another has
 */
const hold = lua`#!lua flags=allow-oom
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`;

/** Whether this process is the one that reads for everybody. */
export async function holdElection(client: RedisClient, prefix: string, id: string, leaseMs: number): Promise<boolean> {
  return (await hold.run(client, [samplerKey(prefix)], [id, leaseMs])) === 1;
}

/*
 * Gives the lease back, so that the next scrape of another process takes it.
 * KEYS 1 lease
 * ARGV 1 who had it
 */
const leave = lua`#!lua flags=allow-oom
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`;

export async function leaveElection(client: RedisClient, prefix: string, id: string): Promise<void> {
  await leave.run(client, [samplerKey(prefix)], [id]);
}
