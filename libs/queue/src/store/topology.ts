import { argNames, asInteger, keyNames, type RedisClient, Script } from '@millrace/redis';
import type { TopologyEdit } from '../model/topology.js';
import type { TopologyKeys } from './keys.js';
import { versionOf } from './topology-version.js';

/** The keys of the topology that scripts read and write, by their names. */
export const topologyKeyNames = ['meta', 'exchanges', 'queues', 'bindings', 'changes'] as const;

/** Most edits that one call commits: about a millisecond of Redis' time. */
export const maxEditsPerCommit = 400;

/** How many edits are kept for processes that know an older version: one that knows none of these reads everything, in pages. */
const keptEdits = 5000;

// Changes what is declared, if it still is what the caller read. The version is a time, so that it also grows over a
// failover that lost the last changes: a version that some process remembers is never used again for another state.
//
// The change is appended to the others, with the version that it follows: a process that knows that one reads nothing else. A change
// counts as many edits as it has and one more.
//
// KEYS     of {topology}
//   meta       :meta       version: compared, written; logged, the number of edits in `changes`: updated
//   exchanges  :exchanges  declared exchanges: written, removed ones: deleted
//   queues     :queues     the same
//   bindings   :bindings   the same
//   changes    :changes    this change: added, the oldest: removed
// ARGV     version  that was read, valid or not; then three per edit: name of its key, id, value or '' to remove
// RETURNS  the new version; -1 when another change came first: nothing was done
// EFFECTS  see KEYS
const commitBody = `
${keyNames(...topologyKeyNames)}
${argNames('version')}
${versionOf}
if (redis.call('HGET', meta, 'version') or '0') ~= version then return -1 end
-- Everything that may fail on what another program wrote comes before the first write: a change is made whole, or not at all.
local tables = {exchanges = exchanges, queues = queues, bindings = bindings}
for _, key in pairs(tables) do redis.call('HLEN', key) end
redis.call('ZRANGE', changes, 0, 0)
local count = (#ARGV - firstItem + 1) / 3 + 1
local logged = (tonumber((redis.call('HGET', meta, 'logged') or ''):match('^%d+$')) or 0) + count
for i = firstItem, #ARGV, 3 do
  local key, id, value = tables[ARGV[i]], ARGV[i + 1], ARGV[i + 2]
  if value == '' then redis.call('HDEL', key, id) else redis.call('HSET', key, id, value) end
end
local time = redis.call('TIME')
local known = versionOf(version)
local newVersion = string.format('%.0f', math.max(known + 1, time[1] * 1000 + math.floor(time[2] / 1000)))
local change = ('%s %s %d '):format(newVersion, version:match('^%d+$') or '-', count) .. cmsgpack.pack({unpack(ARGV, firstItem)})
redis.call('ZADD', changes, newVersion, change)
while logged > ${keptEdits} do
  local oldest = redis.call('ZPOPMIN', changes)[1]
  logged = oldest and math.max(0, logged - (tonumber(oldest:match('^%d+ %S+ (%d+)')) or 1)) or 0
end
redis.call('HSET', meta, 'version', newVersion, 'logged', ('%.0f'):format(logged))
return tonumber(newVersion)
`;
const commitScript = new Script(`#!lua${commitBody}`);
/** Removing must work on a full Redis: it makes room. */
const removeScript = new Script(`#!lua flags=allow-oom${commitBody}`);

/**
 * Writes up to `maxEditsPerCommit` edits that were computed from the topology of `version`. Resolves to the new version, or undefined
 * when there is another version now.
 */
export async function commitTopology(
  client: RedisClient,
  keys: TopologyKeys,
  version: number | Buffer,
  edits: readonly TopologyEdit[],
): Promise<number | undefined> {
  const args = edits.flatMap(({ table, id, value }) => [table, id, value === undefined ? '' : JSON.stringify(value)]);
  const script = edits.every(({ value }) => value === undefined) ? removeScript : commitScript;
  const scriptKeys = topologyKeyNames.map((name) => keys[name]);
  const committed = asInteger(await script.run(client, scriptKeys, [version, ...args]));
  return committed === -1 ? undefined : committed;
}
