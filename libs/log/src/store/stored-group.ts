import { storedInteger } from '@millrace/core';
import { argNames, asText, keyNames, orNothing, type RedisClient, Script } from '@millrace/redis';
import type { GroupKeys } from './keys.js';
import { readMemberEntry } from './member-entries.js';
import { removeMember } from './members.js';

// Registers a group's name; also when Redis is full: a member joins to drain it.
//
// KEYS
//   groups  {topology}:groups  the group: added
// ARGV     group
// RETURNS  nothing
// EFFECTS  see KEYS
const name = new Script(`#!lua flags=allow-oom
${keyNames('groups')}
${argNames('group')}
redis.call('SADD', groups, group)
`);

export async function nameGroup(client: RedisClient, groups: string, group: string): Promise<void> {
  await name.run(client, [groups], [group]);
}

/** A group as stored in Redis. */
export interface StoredGroup {
  /** Members whose session has not ended. */
  readonly memberIds: readonly string[];
  readonly generation: number;
  /** JSON. */
  readonly plan: string | undefined;
}

export async function readGroup(client: RedisClient, keys: GroupKeys): Promise<StoredGroup> {
  const [memberIds, [generation, plan]] = await Promise.all([
    liveMembers(client, keys),
    client.hmget(keys.state, 'generation', 'plan'),
  ]);
  return { memberIds, generation: storedInteger(generation ?? '0') ?? 0, plan: plan ?? undefined };
}

/** Member id → subscription as JSON, of members whose session has not ended. */
export async function liveSubscriptions(client: RedisClient, keys: GroupKeys): Promise<Map<string, string>> {
  const memberIds = await liveMembers(client, keys);
  if (memberIds.length === 0) return new Map();
  const entries = await client.hmget(keys.subscriptions, ...memberIds);
  return new Map(memberIds.map((id, index) => [id, readMemberEntry(entries[index] ?? '').subscription]));
}

/** Ends the session of a member with any incarnation; false when the group has no such member. */
export async function removeAnyMember(client: RedisClient, keys: GroupKeys, memberId: string): Promise<boolean> {
  const entry = orNothing(await client.hgetBuffer(keys.subscriptions, memberId), asText);
  if (entry === undefined) return false;
  const { incarnation } = readMemberEntry(entry);
  return removeMember(client, keys, { memberId, incarnation });
}

/** Ids of the members whose session has not ended, sorted. */
async function liveMembers(client: RedisClient, keys: GroupKeys): Promise<string[]> {
  const [seconds, micros] = await client.time();
  const now = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  return (await client.zrangebyscore(keys.members, `(${now}`, '+inf')).sort();
}
