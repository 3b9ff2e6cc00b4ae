import { groupKeys } from '@millrace/log';
import { asInteger, asList, keyNames, Script } from '@millrace/redis';
import type { GroupSnapshot } from '../model/snapshot.js';
import type { Reading } from './reading.js';

// The members of a consumer group.
//
// KEYS
//   members  :members  read
//   state    :state    read
// ARGV     none
// RETURNS  { members whose session has not ended, generation of the plan }
// EFFECTS  none
const look = new Script(`#!lua flags=no-writes
${keyNames('members', 'state')}
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
return {redis.call('ZCOUNT', members, '(' .. now, '+inf'), tonumber(redis.call('HGET', state, 'generation') or 0)}
`);

export function groupReading(prefix: string): Reading<string, GroupSnapshot> {
  return {
    script: look,
    call: (group) => {
      const { members, state } = groupKeys(prefix, group);
      return { keys: [members, state], args: [] };
    },
    read: (reply, group) => {
      const [alive = 0, generation = 0] = asList(reply).map(asInteger);
      return { group, members: alive, generation };
    },
    describe: (group) => `group ${group}`,
  };
}
