import { asInteger, asList, asText, lua, type RedisClient, Script } from '@millrace/redis';
import type { Binding } from '../model/binding.js';
import { bindingId } from '../model/binding.js';
import type { ExchangeSettings } from '../model/exchange-settings.js';
import type { QueueSettings } from '../model/queue-settings.js';
import type { Topology, TopologyEdit } from '../model/topology.js';
import type { TopologyKeys } from './keys.js';

// Everything that is declared, as one consistent snapshot.
//
// KEYS 1 meta 2 exchanges 3 queues 4 bindings
// RETURNS { version, exchanges, queues, bindings }, each a list of JSON
const loadScript = lua`#!lua flags=no-writes
local version = redis.call('HGET', KEYS[1], 'version')
return {tonumber(version or 0), redis.call('HVALS', KEYS[2]), redis.call('HVALS', KEYS[3]), redis.call('HVALS', KEYS[4])}
`;

export async function loadTopology(client: RedisClient, keys: TopologyKeys): Promise<Topology> {
  const reply = asList(await loadScript.run(client, [keys.meta, keys.exchanges, keys.queues, keys.bindings], []));
  const [version, exchanges, queues, bindings] = reply;
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
// KEYS 1 meta 2 exchanges 3 queues 4 bindings
// ARGV 1 the version that was read, then for each edit: index of its key, id, value or '' to remove
// RETURNS the new version; -1 when another change came first: nothing was done
const commitBody = `
if (redis.call('HGET', KEYS[1], 'version') or '0') ~= ARGV[1] then return -1 end
for i = 2, #ARGV, 3 do
  local key = KEYS[tonumber(ARGV[i])]
  if ARGV[i + 2] == '' then redis.call('HDEL', key, ARGV[i + 1]) else redis.call('HSET', key, ARGV[i + 1], ARGV[i + 2]) end
end
local time = redis.call('TIME')
local version = string.format('%.0f', math.max(ARGV[1] + 1, time[1] * 1000 + math.floor(time[2] / 1000)))
redis.call('HSET', KEYS[1], 'version', version)
return tonumber(version)
`;
const commitScript = new Script(`#!lua${commitBody}`);
/** Removing must work on a full Redis: it is what makes room. */
const removeScript = new Script(`#!lua flags=allow-oom${commitBody}`);

const tables = { exchanges: 2, queues: 3, bindings: 4 } as const;

/** Writes edits that were worked out from the topology of `version`. Resolves to the new version, or undefined when it is not that any more. */
export async function commitTopology(
  client: RedisClient,
  keys: TopologyKeys,
  version: number,
  edits: readonly TopologyEdit[],
): Promise<number | undefined> {
  const args = edits.flatMap(({ table, id, value }) => [
    tables[table],
    id,
    value === undefined ? '' : JSON.stringify(value),
  ]);
  const script = edits.every(({ value }) => value === undefined) ? removeScript : commitScript;
  const reply = await script.run(client, [keys.meta, keys.exchanges, keys.queues, keys.bindings], [version, ...args]);
  const committed = asInteger(reply);
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
