import { asInteger, asList, asText, type RedisClient, Script } from '@millrace/redis';
import type { Binding } from '../model/binding.js';
import { bindingId } from '../model/binding.js';
import type { ExchangeSettings } from '../model/exchange-settings.js';
import type { QueueSettings } from '../model/queue-settings.js';
import type { Topology, TopologyEdit } from '../model/topology.js';
import { argNames, keyNames } from './key-names.js';
import type { TopologyKeys } from './keys.js';

const topologyKeyNames = ['meta', 'exchanges', 'queues', 'bindings'] as const;

// Everything that is declared, as one consistent snapshot.
//
// KEYS     of {topology}
//   meta       :meta       version
//   exchanges  :exchanges  settings of each, as JSON
//   queues     :queues     settings of each, as JSON
//   bindings   :bindings   each as JSON
// ARGV     none
// RETURNS  { version, exchanges, queues, bindings }, each a list of JSON
// EFFECTS  none
const loadScript = new Script(`#!lua flags=no-writes
${keyNames(...topologyKeyNames)}
local version = redis.call('HGET', meta, 'version')
return {tonumber(version or 0), redis.call('HVALS', exchanges), redis.call('HVALS', queues), redis.call('HVALS', bindings)}
`);

export async function loadTopology(client: RedisClient, keys: TopologyKeys): Promise<Topology> {
  const scriptKeys = topologyKeyNames.map((name) => keys[name]);
  const [version, exchanges, queues, bindings] = asList(await loadScript.run(client, scriptKeys, []));
  return {
    version: asInteger(version),
    exchanges: byName(asList(exchanges).flatMap(readNamed<ExchangeSettings>)),
    queues: byName(asList(queues).flatMap(readNamed<QueueSettings>)),
    bindings: new Map(
      asList(bindings)
        .flatMap(readJson<Binding>)
        .filter(isBinding)
        .map((binding) => [bindingId(binding), binding]),
    ),
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
// ARGV     version  that was read; then three for each edit: name of its key, id, value or '' to remove
// RETURNS  the new version; -1 when another change came first: nothing was done
// EFFECTS  as said of the keys
const commitBody = `
${keyNames(...topologyKeyNames)}
${argNames('version')}
if (redis.call('HGET', meta, 'version') or '0') ~= version then return -1 end
local tables = {exchanges = exchanges, queues = queues, bindings = bindings}
for i = firstItem, #ARGV, 3 do
  local key, id, value = tables[ARGV[i]], ARGV[i + 1], ARGV[i + 2]
  if value == '' then redis.call('HDEL', key, id) else redis.call('HSET', key, id, value) end
end
local time = redis.call('TIME')
local newVersion = string.format('%.0f', math.max(version + 1, time[1] * 1000 + math.floor(time[2] / 1000)))
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
  version: number,
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

/** Nothing when it is no JSON of an object: what others wrote beside our declarations hides none of them. */
function readJson<T extends object>(reply: unknown): T[] {
  try {
    const value: unknown = JSON.parse(asText(reply));
    return typeof value === 'object' && value !== null ? [value as T] : [];
  } catch {
    return [];
  }
}

function readNamed<T extends { readonly name: string }>(reply: unknown): T[] {
  return readJson<T>(reply).filter(({ name }) => typeof name === 'string');
}

function isBinding({ source, destination, routingKey }: Binding): boolean {
  return [source, destination, routingKey].every((text) => typeof text === 'string');
}
