import { argNames, asInteger, asList, keyNames, type RedisClient, Script } from '@millrace/redis';
import type { PartitionKeys } from './keys.js';

// Some steps of a bisection: finds the first batch at whose end the log's highest timestamp (t) reaches a time.
//
// KEYS
//   records  :records  read
// ARGV     low        offset: the result is from low to high
//          high       offset
//          timestamp
//          most       steps
// RETURNS  { low, high }, closer together; equal when found
// EFFECTS  none
const bisect = new Script(`#!lua flags=no-writes
${keyNames('records')}
${argNames('low', 'high', 'timestamp', 'most')}
low, high, timestamp = tonumber(low), tonumber(high), tonumber(timestamp)
for step = 1, tonumber(most) do
  if low >= high then break end
  local middle = math.floor((low + high) / 2)
  local entry = redis.call('XRANGE', records, string.format('(0-%.0f', middle), '+', 'COUNT', 1)[1]
  if not entry or (tonumber(entry[2][4]) or 0) >= timestamp then high = middle
  else low = tonumber(string.match(entry[1], '%d+$')) end
end
return {low, high}
`);

// A step reads one batch, 1 MiB at most by default: eight stay near a millisecond.
const stepsPerCall = 8;

/** An offset at or before the first record whose timestamp is at least `timestamp`, in its batch unless retention removed a later one. */
export async function searchTime(
  client: RedisClient,
  keys: PartitionKeys,
  range: { readonly start: number; readonly end: number },
  timestamp: number,
): Promise<number> {
  let { start: low, end: high } = range;
  while (low < high) {
    const reply = asList(await bisect.run(client, [keys.records], [low, high, timestamp, stepsPerCall]));
    low = asInteger(reply[0]);
    high = asInteger(reply[1]);
  }
  return low;
}
