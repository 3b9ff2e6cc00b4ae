import { DamagedStateError, shown } from '@millrace/core';
import { argNames, asBytes, asInteger, asList, asText, keyNames, type RedisClient, Script } from '@millrace/redis';
import { bindingId } from '../model/binding.js';
import type { QueueSettings } from '../model/queue-settings.js';
import { readStoredBinding, readStoredExchange, readStoredQueue, readStoredVersion } from '../model/stored-settings.js';
import type { Topology, TopologyEdit } from '../model/topology.js';
import type { TopologyKeys } from './keys.js';
import { versionOf } from './topology-version.js';

const topologyKeyNames = ['meta', 'exchanges', 'queues', 'bindings'] as const;

// Everything that is declared, as one consistent snapshot.
//
// KEYS     of {topology}
//   meta       :meta       version
//   exchanges  :exchanges  settings of each, as JSON
//   queues     :queues     settings of each, as JSON
//   bindings   :bindings   each as JSON
// ARGV     none
// RETURNS  { version, exchanges, queues, bindings }: digits, then each a list of JSON
// EFFECTS  none
const loadScript = new Script(`#!lua flags=no-writes
${keyNames(...topologyKeyNames)}
local version = redis.call('HGET', meta, 'version')
return {version or '0', redis.call('HVALS', exchanges), redis.call('HVALS', queues), redis.call('HVALS', bindings)}
`);

/**
 * What cannot be used is set aside, and hides no other. A version that is none is replaced by one: it only tells one state of what is
 * declared from another, and nobody could declare or publish anything by what it is.
 *
 * @throws {DamagedStateError} the version is none, and cannot be replaced
 */
export async function loadTopology(client: RedisClient, keys: TopologyKeys): Promise<Topology> {
  const scriptKeys = topologyKeyNames.map((name) => keys[name]);
  const load = async () => asList(await loadScript.run(client, scriptKeys, []));
  const damaged = new Map<string, DamagedStateError>();
  let [digits, exchanges, queues, bindings] = await load();
  if (readStoredVersion(asText(digits)) === undefined) {
    damaged.set('topology', damagedVersion(keys, asText(digits)));
    await commitTopology(client, keys, asBytes(digits), []);
    [digits, exchanges, queues, bindings] = await load();
  }
  const version = readStoredVersion(asText(digits));
  if (version === undefined) throw damagedVersion(keys, asText(digits));
  const read = <T>(list: unknown, key: string, reader: (json: string, key: string) => T): T[] =>
    asList(list).flatMap((reply) => soundOf(() => reader(asText(reply), key), damaged));
  return {
    version,
    exchanges: byName(read(exchanges, keys.exchanges, readStoredExchange)),
    queues: byName(read(queues, keys.queues, readStoredQueue)),
    bindings: new Map(read(bindings, keys.bindings, readStoredBinding).map((binding) => [bindingId(binding), binding])),
    ...(damaged.size > 0 && { damaged }),
  };
}

// Changes what is declared, if it still is what the caller read. The version is a time, so that it also grows over a
// failover that lost the last changes: a version that some process remembers never comes again with another meaning.
//
// KEYS     of {topology}
//   meta       :meta       version: compared, written
//   exchanges  :exchanges  what is declared comes, what is removed goes
//   queues     :queues     the same
//   bindings   :bindings   the same
// ARGV     version  that was read, whatever it is; then three for each edit: name of its key, id, value or '' to remove
// RETURNS  the new version; -1 when another change came first: nothing was done
// EFFECTS  as said of the keys
const commitBody = `
${keyNames(...topologyKeyNames)}
${argNames('version')}
${versionOf}
if (redis.call('HGET', meta, 'version') or '0') ~= version then return -1 end
local tables = {exchanges = exchanges, queues = queues, bindings = bindings}
for i = firstItem, #ARGV, 3 do
  local key, id, value = tables[ARGV[i]], ARGV[i + 1], ARGV[i + 2]
  if value == '' then redis.call('HDEL', key, id) else redis.call('HSET', key, id, value) end
end
local time = redis.call('TIME')
local known = versionOf(version)
local newVersion = string.format('%.0f', math.max(known + 1, time[1] * 1000 + math.floor(time[2] / 1000)))
redis.call('HSET', meta, 'version', newVersion)
return tonumber(newVersion)
`;
const commitScript = new Script(`#!lua${commitBody}`);
/** Removing must work on a full Redis: it is what makes room. */
const removeScript = new Script(`#!lua flags=allow-oom${commitBody}`);

/** Writes edits that were worked out from the topology of `version`. Resolves to the new version, or undefined when it is not that any more. */
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

function byName<T extends { readonly name: string }>(objects: readonly T[]): Map<string, T> {
  return new Map(objects.map((object) => [object.name, object]));
}

/** Settings of queues as they stand in Redis; what cannot be used is reported by the processes that use it, and hides no other. */
export function soundQueues(replies: readonly unknown[], key: string): QueueSettings[] {
  const damaged = new Map<string, DamagedStateError>();
  return replies.flatMap((json) => soundOf(() => readStoredQueue(asText(json), key), damaged));
}

/** Nothing when it cannot be used: what others wrote beside our declarations hides none of them. */
function soundOf<T>(read: () => T, damaged: Map<string, DamagedStateError>): T[] {
  try {
    return [read()];
  } catch (error) {
    if (!(error instanceof DamagedStateError)) throw error;
    damaged.set(error.object, error);
    return [];
  }
}

function damagedVersion({ meta }: TopologyKeys, digits: string): DamagedStateError {
  const remedy =
    'It is replaced by the time of now; where that is denied, declare anything with the rights of an operator.';
  const place = { object: 'topology', key: `${meta}, field version`, remedy };
  return new DamagedStateError(place, [`the version must be a time in ms since 1970, got ${shown(digits)}`]);
}
