import { argNames, asInteger, asList, asText, keyNames, orNothing, type RedisClient, Script } from '@millrace/redis';
import type { GroupKeys } from './keys.js';
import { readMemberEntry, readMembers, type StoredMember } from './member-entries.js';

/** A member as it registers itself. */
export interface MemberEntry {
  readonly memberId: string;
  /** Distinguishes two processes that use the same static member id, one after the other. */
  readonly incarnation: string;
  /** JSON. */
  readonly subscription: string;
  /** JSON. */
  readonly presence: string;
  readonly sessionMs: number;
}

/** What a heartbeat returns: only what the member does not know yet. */
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

// Joins a group, or rejoins as a new incarnation of the same member.
//
// KEYS
//   members        :members        the end of the session: written
//   subscriptions  :subscriptions  incarnation and subscription: written
//   presence       :presence       its connections: written
//   state          :state          `version` grows when the member or its incarnation is new
//   locked         :locked         read
// ARGV     memberId
//          incarnation
//          subscription
//          connections
//          sessionMs
// RETURNS  1 joined, 0 the group is locked by an operator
// EFFECTS  see KEYS
const join = new Script(`#!lua flags=allow-oom
${keyNames('members', 'subscriptions', 'presence', 'state', 'locked')}
${argNames('memberId', 'incarnation', 'subscription', 'connections', 'sessionMs')}
if redis.call('EXISTS', locked) == 1 then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local entry = incarnation .. ' ' .. subscription
if redis.call('HGET', subscriptions, memberId) ~= entry then
  redis.call('HSET', subscriptions, memberId, entry)
  -- A heartbeat replaces what is not a number.
  redis.pcall('HINCRBY', state, 'version', 1)
end
redis.call('HSET', presence, memberId, connections)
redis.call('ZADD', members, string.format('%.0f', now + sessionMs), memberId)
return 1
`);

/** False while an operator holds the group's lock. */
export async function joinGroup(client: RedisClient, keys: GroupKeys, member: MemberEntry): Promise<boolean> {
  const { memberId, incarnation, subscription, presence, sessionMs } = member;
  const args = [memberId, incarnation, subscription, presence, sessionMs];
  return (await join.run(client, allOf(keys), args)) === 1;
}

// Extends a member's session, and ends those of silent members.
//
// KEYS
//   members        :members        the end of the session: written; silent members: removed
//   subscriptions  :subscriptions  read; silent members: removed
//   presence       :presence       its connections: written; silent members: removed
//   state          :state          read; `version` grows with each removed member; what is not a number is replaced
// ARGV     memberId
//          incarnation
//          connections
//          sessionMs
//          knownVersion     the version that the member knows
//          knownGeneration  the generation that the member knows
// RETURNS  { 1 alive, version, generation, members (if another version), plan (if another generation) }, { 0 no longer a member },
//          { 2 replaced by another incarnation }
// EFFECTS  see KEYS
const heartbeat = new Script(`#!lua flags=allow-oom
${keyNames('members', 'subscriptions', 'presence', 'state')}
${argNames('memberId', 'incarnation', 'connections', 'sessionMs', 'knownVersion', 'knownGeneration')}
local entry = redis.call('HGET', subscriptions, memberId)
if not entry or not redis.call('ZSCORE', members, memberId) then return {0} end
-- What is no entry of a member replaces none: it joins again.
if string.sub(entry, 1, #incarnation + 1) ~= incarnation .. ' ' then return {entry:find('^[%w-]+ {') and 2 or 0} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', members, string.format('%.0f', now + sessionMs), memberId)
if redis.call('HGET', presence, memberId) ~= connections then redis.call('HSET', presence, memberId, connections) end
for _, silent in ipairs(redis.call('ZRANGEBYSCORE', members, '-inf', string.format('%.0f', now), 'LIMIT', 0, 100)) do
  redis.call('ZREM', members, silent)
  redis.call('HDEL', subscriptions, silent)
  redis.call('HDEL', presence, silent)
  redis.pcall('HINCRBY', state, 'version', 1)
end
-- What is not a number cannot be incremented: a new one differs from what any member knows.
local function counted(field, number)
  if number == '0' or #number < 16 and number:find('^[1-9]%d*$') then return number end
  local fresh = string.format('%.0f', now)
  redis.call('HSET', state, field, fresh)
  return fresh
end
local version, generation = unpack(redis.call('HMGET', state, 'version', 'generation'))
version, generation = counted('version', version or '0'), counted('generation', generation or '0')
local joined, plan = false, false
if version ~= knownVersion then
  joined = {}
  local known = redis.call('HGETALL', subscriptions)
  -- Without a session it is not a member.
  for i = 1, #known, 2 do
    if redis.call('ZSCORE', members, known[i]) then
      joined[#joined + 1] = known[i]
      joined[#joined + 1] = known[i + 1]
    end
  end
end
if generation ~= knownGeneration then plan = redis.call('HGET', state, 'plan') end
return {1, version, generation, joined, plan}
`);

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

// Ends a member's session: for the member itself, or for another one that saw its process die.
//
// KEYS
//   members        :members        the member: removed
//   subscriptions  :subscriptions  the member: removed
//   presence       :presence       the member: removed
//   state          :state          `version` grows; after the last member `empty-since` is written, see group-expiry
// ARGV     memberId
//          incarnation
//          connections  its expected connections, or ''
// RETURNS  1 removed, 0 it is another incarnation or has reported since
// EFFECTS  see KEYS
const remove = new Script(`#!lua flags=allow-oom
${keyNames('members', 'subscriptions', 'presence', 'state')}
${argNames('memberId', 'incarnation', 'connections')}
local entry = redis.call('HGET', subscriptions, memberId)
if not entry or string.sub(entry, 1, #incarnation + 1) ~= incarnation .. ' ' then return 0 end
if connections ~= '' and redis.call('HGET', presence, memberId) ~= connections then return 0 end
redis.call('ZREM', members, memberId)
redis.call('HDEL', subscriptions, memberId)
redis.call('HDEL', presence, memberId)
redis.call('HINCRBY', state, 'version', 1)
if redis.call('EXISTS', members) == 0 then
  local time = redis.call('TIME')
  redis.call('HSET', state, 'empty-since', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
end
return 1
`);

export async function removeMember(
  client: RedisClient,
  keys: GroupKeys,
  { memberId, incarnation, presence }: Pick<MemberEntry, 'memberId' | 'incarnation'> & { readonly presence?: string },
): Promise<boolean> {
  const args = [memberId, incarnation, presence ?? ''];
  return (await remove.run(client, [keys.members, keys.subscriptions, keys.presence, keys.state], args)) === 1;
}

/** Whether this incarnation of the member is in the group at present. */
export async function isMember(
  client: RedisClient,
  keys: GroupKeys,
  { memberId, incarnation }: Pick<MemberEntry, 'memberId' | 'incarnation'>,
): Promise<boolean> {
  const entry = orNothing(await client.hgetBuffer(keys.subscriptions, memberId), asText);
  return entry !== undefined && readMemberEntry(entry).incarnation === incarnation;
}

function allOf(keys: GroupKeys): string[] {
  return [keys.members, keys.subscriptions, keys.presence, keys.state, keys.locked];
}
