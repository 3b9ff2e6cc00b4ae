import { Cluster, Pipeline, type Redis, type RedisClient } from './client.js';
import { nodeAt, nodeServing } from './cluster-node.js';
import { keyList } from './prepared-arguments.js';
import { asInteger, asList } from './reply.js';
import { isUnknownScript, type Script } from './script.js';
import type { ScriptCall, ScriptCommand } from './script-command.js';
import { scriptFailure } from './script-failure.js';

/** How many replicas must have a write, and how. */
export interface ReplicaDemand {
  /** How many, not counting the leader. */
  readonly minReplicas: number;
  /** How long they may take, in ms. The connection blocks meanwhile. */
  readonly timeoutMs: number;
  /** In their append-only files, and in the leader's own: WAITAOF (Redis 7.2, Valkey) instead of WAIT. */
  readonly isOnDisk: boolean;
}

/** What a script answered, and who has what it wrote. */
export interface ReplicatedReply {
  /** The script's, whoever has what it wrote. */
  readonly reply: unknown;
  /** Why it is not confirmed, in words; undefined when enough replicas have it. */
  readonly shortfall: string | undefined;
}

/**
 * Runs a script and waits for the replicas of the node that ran it, in one round trip on one connection: WAIT counts from
 * the connection's last write (Redis 7.0 alone: from its last command). A script that is repeated because its reply was
 * lost must write something, whatever it answers, or nobody waits for what it wrote the first time.
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

/** A command is sent once: another try is another command. */
type MakeCommand = () => ScriptCommand;

/** A node's client knows nothing of other nodes: redirections are followed here. */
async function followed(client: RedisClient, make: MakeCommand, key: string, demand: ReplicaDemand): Promise<Replies> {
  if (!(client instanceof Cluster)) return pipelined(client, make(), demand);
  try {
    return await pipelined(await nodeServing(client, key), make(), demand);
  } catch (error) {
    const [kind, , address] = error instanceof Error ? error.message.split(' ') : [];
    if (kind === 'MOVED') {
      // A command by itself is followed, and the client remembers where to.
      await client.exists(key);
      return pipelined(await nodeServing(client, key), make(), demand);
    }
    const node = kind === 'ASK' ? nodeAt(client, address) : undefined;
    if (node === undefined) throw error;
    return pipelined(node, make(), demand, { isAsking: true });
  }
}

type Replies = readonly [reply: unknown, waited: unknown];

/** Of one node: WAIT is about what the same connection wrote. */
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
