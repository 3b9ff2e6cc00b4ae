import { argNames, keyNames, type RedisClient, Script } from '@millrace/redis';
import { samplerKey } from './keys.js';

// Takes or extends the lease.
//
// KEYS
//   lease  {metrics}:sampler  set to the process, with a time to live
// ARGV     me
//          leaseMs
// RETURNS  1 when this process has the lease, 0 when another process has it
// EFFECTS  the lease: see KEYS
const hold = new Script(`#!lua flags=allow-oom
${keyNames('lease')}
${argNames('me', 'leaseMs')}
local owner = redis.call('GET', lease)
if owner and owner ~= me then return 0 end
redis.call('SET', lease, me, 'PX', leaseMs)
return 1
`);

/** Whether this process is the one that reads for all. */
export async function holdElection(client: RedisClient, prefix: string, id: string, leaseMs: number): Promise<boolean> {
  return (await hold.run(client, [samplerKey(prefix)], [id, leaseMs])) === 1;
}

// Gives the lease back, so that the next scrape of another process takes it.
//
// KEYS
//   lease  {metrics}:sampler  deleted
// ARGV     me  the process that had it
// RETURNS  1, or 0 when another process has the lease
// EFFECTS  the lease: see KEYS
const leave = new Script(`#!lua flags=allow-oom
${keyNames('lease')}
${argNames('me')}
return redis.call('GET', lease) == me and redis.call('DEL', lease) or 0
`);

export async function leaveElection(client: RedisClient, prefix: string, id: string): Promise<void> {
  await leave.run(client, [samplerKey(prefix)], [id]);
}
