import { asText, Cluster, type Redis, type RedisClient } from '@millrace/redis';
import type { GroupKeys } from './keys.js';

/**
 * The connections of a process: run id of the server → client id. A process that dies closes its sockets, so
 * others see within milliseconds that its connections are gone. The run id distinguishes servers, and one server before
 * and after a restart, when client ids start again.
 */
export type Presence = Readonly<Record<string, number>>;

/** The connections of this process; empty when its Redis user may not ask. */
export async function ownPresence(client: RedisClient): Promise<Presence> {
  const presence: Record<string, number> = {};
  for (const server of serversOf(client)) {
    try {
      const [id, info] = await Promise.all([server.call('CLIENT', 'ID'), server.info('server')]);
      const runId = /run_id:(\w+)/.exec(info)?.[1];
      if (runId !== undefined && typeof id === 'number') presence[runId] = id;
    } catch (error) {
      // A node of a cluster may be unreachable; its part is missing then.
      if (!isDenied(error) && !(client instanceof Cluster)) throw error;
    }
  }
  return presence;
}

/**
 * Which of these processes have no connection any more to the servers that both they and this process are connected to. If
 * that is unknown (other servers, no permission) a process counts as alive: its lease decides.
 */
export async function gonePresences(
  client: RedisClient,
  own: Presence,
  others: readonly Presence[],
): Promise<Set<Presence>> {
  const seen = new Set<Presence>();
  const checked = new Set<Presence>();
  for (const server of serversOf(client)) {
    const runId = await runIdOf(server, own).catch(() => undefined);
    const candidates = others.filter((other) => runId !== undefined && other[runId] !== undefined);
    if (runId === undefined || candidates.length === 0) continue;
    const alive = await livingClients(
      server,
      candidates.map((other) => other[runId] ?? 0),
    );
    if (alive === undefined) continue;
    for (const other of candidates) {
      checked.add(other);
      if (alive.has(other[runId] ?? 0)) seen.add(other);
    }
  }
  return new Set([...checked].filter((other) => !seen.has(other)));
}

/** The presence that other members have registered, as stored JSON; null where there is none. */
export async function presencesOf(
  client: RedisClient,
  keys: GroupKeys,
  memberIds: readonly string[],
): Promise<(string | null)[]> {
  return client.hmget(keys.presence, ...memberIds);
}

/** The presence that a member registered; empty, so that its lease decides, when it is invalid. */
export function parsePresence(json: string | null): Presence {
  try {
    const value: unknown = JSON.parse(json ?? '{}');
    if (typeof value !== 'object' || value === null) return {};
    return Object.fromEntries(Object.entries(value).filter(([, id]) => Number.isSafeInteger(id)));
  } catch {
    return {};
  }
}

function serversOf(client: RedisClient): Redis[] {
  return client instanceof Cluster ? client.nodes('master') : [client];
}

/** A single server is the one in this process's presence; nodes of a cluster are asked for their run id. */
async function runIdOf(server: Redis, own: Presence): Promise<string | undefined> {
  const known = Object.keys(own);
  if (known.length <= 1) return known[0];
  return /run_id:(\w+)/.exec(await server.info('server'))?.[1];
}

/** Servers whose user may not list clients: asking again would only fill the server's ACL LOG. */
const refusing = new WeakSet<Redis>();

async function livingClients(server: Redis, ids: readonly number[]): Promise<Set<number> | undefined> {
  if (refusing.has(server)) return undefined;
  try {
    const list = asText(await server.call('CLIENT', 'LIST', 'ID', ...ids));
    return new Set([...list.matchAll(/^id=(\d+)/gm)].map((match) => Number(match[1])));
  } catch (error) {
    // Neither a refusal nor an unreachable server proves anything about the others; the heartbeat itself reports an outage.
    if (isDenied(error)) refusing.add(server);
    return undefined;
  }
}

function isDenied(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOPERM');
}
