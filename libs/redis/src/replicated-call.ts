import { Cluster, Pipeline, type Redis, type RedisClient } from './client.js';
import { nodeAt, nodeServing } from './cluster-node.js';
import { keyList } from './prepared-arguments.js';
import { asInteger, asList } from './reply.js';
import { isUnknownScript, type Script } from './script.js';
import type { ScriptCall, ScriptCommand } from './script-command.js';
import { scriptFailure } from './script-failure.js';

/** How many replicas must confirm a write, and how. */
export interface ReplicaDemand {
  /** How many, not counting the leader. */
  readonly minReplicas: number;
  /** How long they may take, in ms. The connection is blocked meanwhile. */
  readonly timeoutMs: number;
  /** Whether the write must be in their append-only files and the leader's: WAITAOF (Redis 7.2, Valkey) instead of WAIT. */
  readonly isOnDisk: boolean;
}

/** A script's reply, and whether enough replicas have its writes. */
export interface ReplicatedReply {
  /** The script's reply, whether or not the replicas confirmed. */
  readonly reply: unknown;
  /** Why the write is not confirmed; undefined when enough replicas have it. */
  readonly shortfall: string | undefined;
}

/**
 * Runs a script and waits for the replicas of the node that ran it, in one round trip on one connection: WAIT counts from the
 * connection's last write (Redis 7.0 alone: from its last command). A script that is repeated because its reply was lost must write
 * something in any case; otherwise WAIT does not cover its first write.
 */
export async function runWithReplicas(
  client: RedisClient,
  script: Script,
  call: ScriptCall,
  demand: ReplicaDemand,
): Promise<ReplicatedReply> {
  const send = (isWhole: boolean) =>
    followed(client, () => script.command(call, { isWhole }), keyList(call.keys)[0] ?? '', demand);
  const [reply, waited] = await send(false).catch((error: unknown) => {
    if (isUnknownScript(error)) return send(true);
    throw scriptFailure(error, call);
  });
  const [leader = 0, replicas = 0] = demand.isOnDisk ? asList(waited).map(asInteger) : [1, asInteger(waited)];
  const isEnough = leader === 1 && replicas >= demand.minReplicas;
  return { reply, shortfall: isEnough ? undefined : shortfallOf(replicas, demand) };
}

/** A command object can be sent once: another attempt needs a new one. */
type MakeCommand = () => ScriptCommand;

/** A node's client does not know other nodes: redirections are followed here. */
async function followed(client: RedisClient, make: MakeCommand, key: string, demand: ReplicaDemand): Promise<Replies> {
  if (!(client instanceof Cluster)) return pipelined(client, make(), demand);
  try {
    return await pipelined(await nodeServing(client, key), make(), demand);
  } catch (error) {
    const [kind, , address] = error instanceof Error ? error.message.split(' ') : [];
    if (kind === 'MOVED') {
      // For a single command the client follows the redirection and remembers the node.
      await client.exists(key);
      return pipelined(await nodeServing(client, key), make(), demand);
    }
    const node = kind === 'ASK' ? nodeAt(client, address) : undefined;
    if (node === undefined) throw error;
    return pipelined(node, make(), demand, { isAsking: true });
  }
}

type Replies = readonly [reply: unknown, waited: unknown];

/** To one node: WAIT covers the writes of its own connection. */
async function pipelined(
  client: Redis,
  command: ScriptCommand,
  demand: ReplicaDemand,
  { isAsking = false } = {},
): Promise<Replies> {
  const pipeline = new Pipeline(client);
  if (isAsking) pipeline.asking();
  pipeline.sendCommand(command);
  if (demand.isOnDisk) pipeline.call('WAITAOF', 1, demand.minReplicas, demand.timeoutMs);
  else pipeline.call('WAIT', demand.minReplicas, demand.timeoutMs);
  const [replied, waited] = ((await pipeline.exec()) ?? []).slice(isAsking ? 1 : 0);
  if (replied?.[0]) throw replied[0];
  if (waited?.[0]) throw waited[0];
  return [replied?.[1], waited?.[1]];
}

function shortfallOf(replicas: number, { minReplicas, timeoutMs, isOnDisk }: ReplicaDemand): string {
  return `only ${replicas} of ${minReplicas} replicas confirmed${isOnDisk ? ' on disk' : ''} within ${timeoutMs} ms`;
}
