import { asInteger, asList, asText, lua, orNothing, type RedisClient } from '@millrace/redis';
import type { GroupKeys } from './keys.js';

/** What is kept of a member: its incarnation, a space, and its subscription. */
export type StoredMember = Pick<MemberEntry, 'incarnation' | 'subscription'>;

/** A member as it makes itself known. */
export interface MemberEntry {
  readonly memberId: string;
  /** Tells two processes apart that use the same static member id, one after the other. */
  readonly incarnation: string;
  /** JSON. */
  readonly subscription: string;
  /** JSON. */
  readonly presence: string;
  readonly sessionMs: number;
}

/** What a heartbeat tells: only what the member does not know yet. */
export interface GroupView {
  readonly version: number;
  readonly generation: number;
  readonly members: ReadonlyMap<string, StoredMember> | undefined;
  /** JSON; empty before the first plan. */
  readonly plan: string | undefined;
}

export type HeartbeatReply =
  | { readonly kind: 'alive'; readonly view: GroupView }
  /** The session ended, or Redis lost the group: join again. */
  | { readonly kind: 'expired' }
  /** Another process joined with the same member id: this one must stop. */
  | { readonly kind: 'replaced' };

/*
 * Joins a group, or comes back to it as a new incarnation of the same member.
 * KEYS 1 members  2 subscriptions  3 presence  4 state  5 locked
 * ARGV 1 member id  2 incarnation  3 subscription  4 presence  5 session in ms
 * RETURNS 1 joined, 0 the group is locked by an operator
 * EFFECTS the version grows when the member is new or is another one now
 */
const join = lua`#!lua flags=allow-oom
if redis.call('EXISTS', KEYS[5]) == 1 then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local entry = ARGV[2] .. ' ' .. ARGV[3]
if redis.call('HGET', KEYS[2], ARGV[1]) ~= entry then
  redis.call('HSET', KEYS[2], ARGV[1], entry)
  redis.call('HINCRBY', KEYS[4], 'version', 1)
end
redis.call('HSET', KEYS[3], ARGV[1], ARGV[4])
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[5]), ARGV[1])
return 1
`;

/** False while an operator has the group locked. */
export async function joinGroup(client: RedisClient, keys: GroupKeys, member: MemberEntry): Promise<boolean> {
  const { memberId, incarnation, subscription, presence, sessionMs } = member;
  const args = [memberId, incarnation, subscription, presence, sessionMs];
  return (await join.run(client, allOf(keys), args)) === 1;
}

/*
 * Extends a member's session, and ends those of members that went silent.
 * KEYS 1 members  2 subscriptions  3 presence  4 state
 * ARGV 1 member id  2 incarnation  3 presence  4 session in ms  5 version the member knows  6 generation it knows
 * RETURNS { 1 alive, version, generation, members (if another version), plan (if another generation) },
 *   { 0 } no longer a member, { 2 } replaced by another incarnation
 */
const heartbeat = lua`#!lua flags=allow-oom
local entry = redis.call('HGET', KEYS[2], ARGV[1])
if not entry or not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return {0} end
if string.sub(entry, 1, #ARGV[2] + 1) ~= ARGV[2] .. ' ' then return {2} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[4]), ARGV[1])
if redis.call('HGET', KEYS[3], ARGV[1]) ~= ARGV[3] then redis.call('HSET', KEYS[3], ARGV[1], ARGV[3]) end
for _, silent in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now), 'LIMIT', 0, 100)) do
  redis.call('ZREM', KEYS[1], silent)
  redis.call('HDEL', KEYS[2], silent)
  redis.call('HDEL', KEYS[3], silent)
  redis.call('HINCRBY', KEYS[4], 'version', 1)
end
local state = redis.call('HMGET', KEYS[4], 'version', 'generation')
local version, generation = state[1] or '0', state[2] or '0'
local members, plan = false, false
if version ~= ARGV[5] then members = redis.call('HGETALL', KEYS[2]) end
if generation ~= ARGV[6] then plan = redis.call('HGET', KEYS[4], 'plan') end
return {1, version, generation, members, plan}
`;

export async function sendHeartbeat(
  client: RedisClient,
  keys: GroupKeys,
  member: MemberEntry,
  known: { readonly version: number; readonly generation: number },
): Promise<HeartbeatReply> {
  const args = [
    member.memberId,
    member.incarnation,
    member.presence,
    member.sessionMs,
    known.version,
    known.generation,
  ];
  const [status, version, generation, members, plan] = asList(
    await heartbeat.run(client, [keys.members, keys.subscriptions, keys.presence, keys.state], args),
  );
  if (status === 0) return { kind: 'expired' };
  if (status === 2) return { kind: 'replaced' };
  return {
    kind: 'alive',
    view: {
      version: asInteger(version),
      generation: asInteger(generation),
      members: orNothing(members, readMembers),
      plan: orNothing(plan, asText),
    },
  };
}

/*
 * Ends a member's session: its own wish, or another's who saw that its process is gone.
 * KEYS 1 members  2 subscriptions  3 presence  4 state
 * ARGV 1 member id  2 incarnation  3 presence it must still have (empty: whichever)
 * RETURNS 1 removed, 0 it is another incarnation or has shown itself since
 * EFFECTS who was the last leaves behind when that was: see group-expiry
 */
const remove = lua`#!lua flags=allow-oom
local entry = redis.call('HGET', KEYS[2], ARGV[1])
if not entry or string.sub(entry, 1, #ARGV[2] + 1) ~= ARGV[2] .. ' ' then return 0 end
if ARGV[3] ~= '' and redis.call('HGET', KEYS[3], ARGV[1]) ~= ARGV[3] then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('HINCRBY', KEYS[4], 'version', 1)
if redis.call('EXISTS', KEYS[1]) == 0 then
  local time = redis.call('TIME')
  redis.call('HSET', KEYS[4], 'empty-since', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
end
return 1
`;

export async function removeMember(
  client: RedisClient,
  keys: GroupKeys,
  { memberId, incarnation, presence }: Pick<MemberEntry, 'memberId' | 'incarnation'> & { readonly presence?: string },
): Promise<boolean> {
  const args = [memberId, incarnation, presence ?? ''];
  return (await remove.run(client, [keys.members, keys.subscriptions, keys.presence, keys.state], args)) === 1;
}

/** Whether this incarnation of the member takes part in the group at this moment. */
export async function isMember(
  client: RedisClient,
  keys: GroupKeys,
  { memberId, incarnation }: Pick<MemberEntry, 'memberId' | 'incarnation'>,
): Promise<boolean> {
  const entry = orNothing(await client.hgetBuffer(keys.subscriptions, memberId), asText);
  return entry !== undefined && readMemberEntry(entry).incarnation === incarnation;
}

/*
 * Replaces the group's plan, if nobody else did and the members are still those it was computed for.
 * KEYS 1 state
 * ARGV 1 version  2 generation that is replaced  3 plan
 * RETURNS the new generation, or 0
 */
const propose = lua`#!lua flags=allow-oom
local state = redis.call('HMGET', KEYS[1], 'version', 'generation')
if (state[1] or '0') ~= ARGV[1] or (state[2] or '0') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'plan', ARGV[3])
return redis.call('HINCRBY', KEYS[1], 'generation', 1)
`;

/** The new generation, or undefined when somebody was faster. */
export async function proposePlan(
  client: RedisClient,
  keys: GroupKeys,
  basis: { readonly version: number; readonly generation: number },
  plan: string,
): Promise<number | undefined> {
  const generation = asInteger(await propose.run(client, [keys.state], [basis.version, basis.generation, plan]));
  return generation === 0 ? undefined : generation;
}

function allOf(keys: GroupKeys): string[] {
  return [keys.members, keys.subscriptions, keys.presence, keys.state, keys.locked];
}

export function readMembers(reply: unknown): NonNullable<GroupView['members']> {
  const list = asList(reply);
  const members = new Map<string, StoredMember>();
  for (let index = 0; index + 1 < list.length; index += 2) {
    members.set(asText(list[index]), readMemberEntry(asText(list[index + 1])));
  }
  return members;
}

export function readMemberEntry(entry: string): StoredMember {
  const space = entry.indexOf(' ');
  return { incarnation: entry.slice(0, space), subscription: entry.slice(space + 1) };
}
