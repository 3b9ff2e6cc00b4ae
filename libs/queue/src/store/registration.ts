import { argNames, asList, asText, keyNames, type RedisClient, Script } from '@millrace/redis';
import { addTo } from './counters.js';
import { queueKeys } from './keys.js';

const registerKeys = ['settings', 'state', 'consumers', 'consumerInfo', 'idle', 'wake'] as const;

// Registers a consumer of a queue that exists. Its id begins with its rank: sorted as strings, ids are in the order of
// priority, and of registration where that is equal. A consumer that was alone and rests is woken: it sends heartbeats rarely while
// there is no other consumer to watch.
//
// KEYS     those of `registerKeys`
//   settings      :settings       settings, single-active: read
//   state         :state          registrations, ranked, active: updated
//   consumers     :consumers      its lease: added
//   consumerInfo  :consumer-info  its introduction: written
//   idle          :idle           a consumer that waited alone: removed
//   wake          :wake           a consumer that waited alone: woken
// ARGV     rank     three digits
//          unique   distinguishes it from others with its number, after a failover
//          leaseMs  the time of its lease
//          info     its introduction, as JSON
//          asker    its connection, as an owner of queues
// RETURNS  nil when there is no such queue, { 'exclusive' } when it belongs to another connection: then nothing was done.
//          { '', settings } when these are not a JSON object. Else { consumer id, queue settings as JSON }
// EFFECTS  see KEYS; if only one may be active and none is, it becomes the active one
const registerScript = new Script(`#!lua flags=allow-oom
local call = redis.call
${keyNames(...registerKeys)}
${argNames('rank', 'unique', 'leaseMs', 'info', 'asker')}
${addTo}
local declared, singleActive = unpack(call('HMGET', settings, 'settings', 'single-active'))
if not declared then return nil end
local isRead, values = pcall(cjson.decode, declared)
-- The caller checks whether they are damaged: it must not be registered then.
if not isRead or type(values) ~= 'table' then return {'', declared} end
local owner = values.owner
if owner and owner ~= asker then return {'exclusive'} end
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local id = ('%s.%08d.%s'):format(rank, addTo(state, 'registrations', 1), unique)
call('ZADD', consumers, now + leaseMs, id)
call('HSET', consumerInfo, id, info)
local active, wasRanked = unpack(call('HMGET', state, 'active', 'ranked'))
-- While all ranks are equal, any other consumer shows the rank. Once they differed, up to 1,000 are read to see whether they are equal again.
local some, isRanked = call('ZRANGE', consumers, 0, wasRanked and 999 or 1), false
for _, other in ipairs(some) do isRanked = isRanked or other:sub(1, 3) ~= rank end
isRanked = isRanked or wasRanked and #some == 1000
if call('ZCARD', consumers) == 2 then
  local other = some[1] == id and some[2] or some[1]
  if call('ZREM', idle, other) == 1 then call('RPUSH', wake, other) end
end
if isRanked then call('HSET', state, 'ranked', 1) elseif wasRanked then call('HDEL', state, 'ranked') end
if singleActive == '1' and not (active and call('ZSCORE', consumers, active)) then call('HSET', state, 'active', id) end
return {id, declared}
`);

/** A consumer's introduction, for operators and for its peers. */
export interface ConsumerInfo {
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  readonly prefetch: number;
  readonly concurrency: number;
  /** `CLIENT ID` of the connections it holds, on the server with this run id: when none is left, it is dead. */
  readonly connections: readonly number[];
  readonly server: string;
}

export interface Registered {
  readonly consumer: string;
  readonly settings: string;
}

/** Undefined when the queue does not exist. */
export async function registerConsumer(
  client: RedisClient,
  place: { readonly prefix: string; readonly queue: string },
  request: {
    readonly priority: number;
    readonly unique: string;
    readonly leaseMs: number;
    /** JSON of a `ConsumerInfo`. */
    readonly info: string;
    /** See `connection-owner.ts`. */
    readonly owner: string;
  },
): Promise<Registered | 'exclusive' | undefined> {
  const all = queueKeys(place.prefix, place.queue);
  const args = [rankOf(request.priority), request.unique, request.leaseMs, request.info, request.owner];
  const reply = await registerScript.run(
    client,
    registerKeys.map((name) => all[name]),
    args,
  );
  if (reply === null) return undefined;
  const [consumer, settings] = asList(reply).map(asText);
  if (consumer === 'exclusive') return consumer;
  return { consumer: consumer ?? '', settings: settings ?? '{}' };
}

/** Priority 255 is rank 245, priority −255 is rank 755: the higher the priority, the smaller the string. */
function rankOf(priority: number): string {
  return String(500 - priority);
}
