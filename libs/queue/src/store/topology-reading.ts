import { DamagedStateError, shown } from '@millrace/core';
import { argNames, asBytes, asList, asText, keyNames, type RedisClient, Script } from '@millrace/redis';
import type { QueueSettings } from '../model/queue-settings.js';
import { readStoredBinding, readStoredExchange, readStoredQueue, readStoredVersion } from '../model/stored-settings.js';
import {
  applyEdit,
  objectOf,
  type Topology,
  type TopologyEdit,
  type TopologyTables,
  withEdits,
} from '../model/topology.js';
import type { TopologyKeys } from './keys.js';
import { MessageUnpacker } from './message-unpacker.js';
import { commitTopology, topologyKeyNames } from './topology.js';

const tables = ['exchanges', 'queues', 'bindings'] as const;
type Table = (typeof tables)[number];

/** Up to this many objects come in one reply. */
const mostWhole = 1000;
/** Objects per page, if there are more. */
const pageObjects = 400;
/** Most changes per reply: each has up to `maxEditsPerCommit` edits. */
const mostChanges = 4;

// Reads what is declared, for a process that knows an older version or none: the changes since, or everything. With more than
// some thousand objects everything comes in pages, each with the changes since the page before: each page is as old as its changes, so what
// has been put together when the last one arrives is what is declared as of the last version.
//
// KEYS     of {topology}, all read
//   meta       :meta       version
//   exchanges  :exchanges  settings of each, as JSON
//   queues     :queues     settings of each, as JSON
//   bindings   :bindings   each as JSON
//   changes    :changes    the last changes
// ARGV     known   version that the caller has, or ''
//          table   name of the key of which it wants a page, or ''
//          cursor  where the page begins
// RETURNS  digits of the version first: { version, 'changes', { change, … } }: with these, in order, the caller has that version,
//          or an older one: then it calls again
//          { version, 'page', { change, … }, cursor of the next page, { id, JSON, … } }: the same, and a page
//          { version, 'whole', exchanges, queues, bindings }: everything, each a list of id, JSON, id, …
//          { version, 'large' }: everything is needed, and must be read in pages
//          A change is '<version> <the one before it> <edits + 1> ' and a MessagePack list of key, id, JSON or '', key, …
// EFFECTS  none
const readScript = new Script(`#!lua flags=no-writes
${keyNames(...topologyKeyNames)}
${argNames('known', 'table', 'cursor')}
local version = redis.call('HGET', meta, 'version') or '0'
local found = {}
if known ~= '' and known ~= version then
  found = redis.call('ZRANGE', changes, '(' .. known, '+inf', 'BYSCORE', 'LIMIT', 0, ${mostChanges})
  if not found[1] or found[1]:match('^%d+ (%d+) ') ~= known then known = '' end
end
if known ~= '' and table == '' then return {version, 'changes', found} end
if known ~= '' then
  local page = redis.call('HSCAN', ({exchanges = exchanges, queues = queues, bindings = bindings})[table], cursor, 'COUNT', ${pageObjects})
  return {version, 'page', found, page[1], page[2]}
end
local count = redis.call('HLEN', exchanges) + redis.call('HLEN', queues) + redis.call('HLEN', bindings)
if count > ${mostWhole} then return {version, 'large'} end
local function whole(key)
  local all, cursor = {}, '0'
  repeat
    local page = redis.call('HSCAN', key, cursor, 'COUNT', ${mostWhole})
    for _, part in ipairs(page[2]) do all[#all + 1] = part end
    cursor = page[1]
  until cursor == '0'
  return all
end
return {version, 'whole', whole(exchanges), whole(queues), whole(bindings)}
`);

/**
 * Reads what is declared now. If the caller knows an older version (`known`), only the changes since are read; it is returned if there
 * are none. Damaged objects are set aside, and do not hide the others. An invalid version is replaced: it only distinguishes one state of
 * the topology from another, and as long as it is invalid no process can declare or publish.
 *
 * @throws {DamagedStateError} the version is invalid, and cannot be replaced
 */
export async function readTopology(client: RedisClient, keys: TopologyKeys, known?: Topology): Promise<Topology> {
  let topology = known;
  let damagedVersion: DamagedStateError | undefined;
  for (;;) {
    const { digits, kind, found } = await ask(client, keys, topology?.version);
    const version = readStoredVersion(asText(digits));
    if (version === undefined) {
      if (damagedVersion !== undefined) throw damagedVersion;
      damagedVersion = versionDamage(keys, asText(digits));
      await commitTopology(client, keys, asBytes(digits), []);
      continue;
    }
    if (kind === 'whole') topology = wholeTopology(keys, version, found);
    else if (kind === 'large' || topology === undefined) topology = await readPages(client, keys, version);
    else topology = withChanges(keys, topology, asList(found[0]));
    if (topology?.version === version) return withDamage(topology, damagedVersion);
  }
}

/** Undefined when changes came faster than they could be read. */
async function readPages(client: RedisClient, keys: TopologyKeys, since: number): Promise<Topology | undefined> {
  const all = new Assembly(keys);
  let version = since;
  for (const table of tables) {
    let cursor = '0';
    do {
      const { kind, found } = await ask(client, keys, version, { table, cursor });
      const followed = kind === 'page' ? all.follow(version, asList(found[0])) : undefined;
      if (followed === undefined) return undefined;
      version = followed;
      all.putAll(table, asList(found[2]));
      cursor = asText(found[1]);
    } while (cursor !== '0');
  }
  return all.topology(version);
}

async function ask(client: RedisClient, keys: TopologyKeys, known?: number, page?: { table: Table; cursor: string }) {
  const scriptKeys = topologyKeyNames.map((name) => keys[name]);
  const reply = asList(await readScript.run(client, scriptKeys, [known ?? '', page?.table ?? '', page?.cursor ?? '0']));
  return { digits: reply[0], kind: asText(reply[1]), found: reply.slice(2) };
}

function wholeTopology(keys: TopologyKeys, version: number, found: readonly unknown[]): Topology {
  const all = new Assembly(keys);
  for (const [index, table] of tables.entries()) all.putAll(table, asList(found[index]));
  return all.topology(version);
}

/** Undefined when the changes do not follow the known version. */
function withChanges(keys: TopologyKeys, known: Topology, changes: readonly unknown[]): Topology | undefined {
  if (changes.length === 0) return known;
  const changed = new Assembly(keys);
  const version = changed.follow(known.version, changes);
  if (version === undefined) return undefined;
  return withDamage(withEdits(known, changed.edits, version), ...changed.damaged.values());
}

/** Builds a topology from the objects stored in Redis. */
class Assembly {
  readonly edits: TopologyEdit[] = [];
  /** By object. */
  readonly damaged = new Map<string, DamagedStateError>();
  readonly #keys: TopologyKeys;

  constructor(keys: TopologyKeys) {
    this.#keys = keys;
  }

  /** A list of id, JSON, id, … */
  putAll(table: Table, found: readonly unknown[]): void {
    for (let at = 0; at + 1 < found.length; at += 2) this.put(table, asText(found[at]), asText(found[at + 1]));
  }

  /** Sets damaged objects aside: what other programs wrote does not hide valid declarations. */
  put(table: Table, id: string, json: string): void {
    try {
      const edit = editOf(table, id, json, this.#keys[table]);
      this.edits.push(edit);
      this.damaged.delete(objectOf(table, edit.id));
    } catch (error) {
      if (!(error instanceof DamagedStateError)) throw error;
      this.damaged.set(error.object, error);
      this.edits.push({ table, id });
    }
  }

  /** Applies changes of which each follows the one before it. Returns the version of the last; undefined when one does not follow. */
  follow(since: number, changes: readonly unknown[]): number | undefined {
    let version = since;
    for (const change of changes.map(asBytes)) {
      const head = /^(\d+) (\d+) \d+ /.exec(change.toString('latin1', 0, 64));
      if (head === null || Number(head[2]) !== version) return undefined;
      version = Number(head[1]);
      const unpacker = new MessageUnpacker(change.subarray(head[0].length));
      for (let left = unpacker.list(); left >= 3; left -= 3) {
        const [table, id, json] = [unpacker.next().toString() as Table, unpacker.next().toString(), unpacker.next()];
        if (!tables.includes(table)) continue;
        if (json.length === 0) this.edits.push({ table, id });
        else this.put(table, id, json.toString());
      }
    }
    return version;
  }

  topology(version: number): Topology {
    const all: TopologyTables = { exchanges: new Map(), queues: new Map(), bindings: new Map() };
    for (const edit of this.edits) applyEdit(all, edit);
    return withDamage({ version, ...all }, ...this.damaged.values());
  }
}

function editOf(table: Table, id: string, json: string, key: string): TopologyEdit {
  if (table === 'bindings') return { table, id, value: readStoredBinding(json, key, id) };
  if (table === 'queues') return { table, id, value: readStoredQueue(json, key, id) };
  return { table, id, value: readStoredExchange(json, key, id) };
}

/** The valid settings of queues stored in Redis; damaged ones are reported by the processes that use them, and do not hide the others. */
export function soundQueues(keys: TopologyKeys, replies: readonly unknown[]): QueueSettings[] {
  return replies.flatMap((json) => {
    try {
      return [readStoredQueue(asText(json), keys.queues)];
    } catch (error) {
      if (error instanceof DamagedStateError) return [];
      throw error;
    }
  });
}

function withDamage(topology: Topology, ...errors: readonly (DamagedStateError | undefined)[]): Topology {
  const found = errors.flatMap((error) => error ?? []);
  if (found.length === 0) return topology;
  return {
    ...topology,
    damaged: new Map([...(topology.damaged ?? []), ...found.map((error) => [error.object, error] as const)]),
  };
}

function versionDamage({ meta }: TopologyKeys, digits: string): DamagedStateError {
  const remedy =
    'It is replaced by the present time; if this Redis user may not do that, declare anything with the rights of an operator.';
  const place = { object: 'topology', key: `${meta}, field version`, remedy };
  return new DamagedStateError(place, [`the version must be a time in ms since 1970, got ${shown(digits)}`]);
}
