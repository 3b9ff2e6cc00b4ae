import { argNames, asInteger, keyNames, type RedisClient, Script } from '@millrace/redis';
import type { GroupKeys } from './keys.js';

// Replaces the group's plan, if no other member did and the members are still those it was computed for.
//
// KEYS
//   state  :state  `version` and `generation`: compared; `plan`: written, `generation`: incremented
// ARGV     knownVersion
//          replaced      the generation that is replaced
//          plan
// RETURNS  the new generation, or 0
// EFFECTS  see KEYS
const propose = new Script(`#!lua flags=allow-oom
${keyNames('state')}
${argNames('knownVersion', 'replaced', 'plan')}
local version, generation = unpack(redis.call('HMGET', state, 'version', 'generation'))
if (version or '0') ~= knownVersion or (generation or '0') ~= replaced then return 0 end
redis.call('HSET', state, 'plan', plan)
return redis.call('HINCRBY', state, 'generation', 1)
`);

/** The new generation, or undefined when another member was faster. */
export async function proposePlan(
  client: RedisClient,
  keys: GroupKeys,
  basis: { readonly version: number; readonly generation: number },
  plan: string,
): Promise<number | undefined> {
  const generation = asInteger(await propose.run(client, [keys.state], [basis.version, basis.generation, plan]));
  return generation === 0 ? undefined : generation;
}
