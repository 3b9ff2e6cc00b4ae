import {
  argNames,
  asBytes,
  asInteger,
  asList,
  asText,
  keyNames,
  orNothing,
  type RedisClient,
  Script,
} from '@millrace/redis';
import { type Line, parseLine } from '../model/line.js';
import { addTo } from './counters.js';
import { endingKeys, endMessages, followEnding, followKeys } from './endings.js';
import type { QueueKeys } from './keys.js';

/** Most lines, and most bytes of their frames, that are carried together. */
export const pieceLines = 200;
const pieceBytes = 1024 * 1024;

const nextKeys = ['ended', 'followUps', 'messages'] as const;

// Reads the first lines of a queue, in the order of the endings.
//
// KEYS
//   ended      :ended       read
//   followUps  :follow-ups  read
//   messages   :messages    read
// ARGV     most       lines
//          mostBytes  of frames; one line may have more
// RETURNS  per line: entry, number, line or nil, frame or nil
// EFFECTS  none
const nextScript = new Script(`#!lua flags=no-writes
${keyNames(...nextKeys)}
${argNames('most', 'mostBytes')}
local found = redis.call('ZRANGE', ended, 0, most - 1, 'WITHSCORES')
local answer, bytes = {}, 0
for i = 1, #found, 2 do
  local frame = redis.call('HGET', messages, found[i])
  bytes = bytes + (frame and #frame or 0)
  if i > 1 and bytes > tonumber(mostBytes) then break end
  local n = #answer
  answer[n + 1], answer[n + 2] = found[i], ('%.0f'):format(found[i + 1])
  answer[n + 3], answer[n + 4] = redis.call('HGET', followUps, found[i]), frame
end
return answer
`);

/** The lines to carry next. */
export async function nextLines(client: RedisClient, keys: QueueKeys): Promise<Line[]> {
  const scriptKeys = nextKeys.map((name) => keys[name]);
  const reply = asList(await nextScript.run(client, scriptKeys, [pieceLines, pieceBytes]));
  const lines: Line[] = [];
  for (let at = 0; at < reply.length; at += 4) {
    const [entry, number, line, frame] = reply.slice(at, at + 4);
    lines.push({
      entry: asBytes(entry).toString('latin1'),
      number: asText(number),
      ...parseLine(orNothing(line, asText) ?? ''),
      frame: orNothing(frame, asBytes),
    });
  }
  return lines;
}

/** The result of carrying a line. */
export type LineResult =
  /** It is done: the message is removed. */
  | { readonly kind: 'arrived' }
  /** A target refused it. It is tried again under a new number, behind the others; as another line if one is given. */
  | { readonly kind: 'refused'; readonly line: string | undefined }
  /** It cannot go anywhere: its message is parked in its own queue. */
  | { readonly kind: 'parked' };

const carriedKeys = [...endingKeys, ...followKeys, 'parked'] as const;

// Stores the results of lines that were carried. One that has another number now was changed by another carrier: it is left alone.
//
// KEYS     those of `carriedKeys`
//            those of `endingKeys`   of what arrived: removed, see `endMessages`
//   state      :state       `dead-lettered` counts what arrived; number of the last line: advanced
//   ended      :ended       what arrived or is parked: removed; what was refused: gets a new number
//   followUps  :follow-ups  the same
//   parked     :parked      what cannot go anywhere: added
// ARGV     per line: arrived | refused | parked, entry, number, the line it becomes, or ''
// RETURNS  per line 1, or 0 when it was left alone
// EFFECTS  see KEYS
const carriedScript = new Script(`#!lua flags=allow-oom
local call = redis.call
${keyNames(...carriedKeys)}
${addTo}
${endMessages}
${followEnding}
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local arrived, answer = {}, {}
for i = 1, #ARGV, 4 do
  local result, entry, number, line = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local isHere = tonumber(call('ZSCORE', ended, entry)) == tonumber(number)
  answer[#answer + 1] = isHere and 1 or 0
  if isHere and result == 'refused' then
    follow(state, ended, followUps, entry, line ~= '' and line or call('HGET', followUps, entry) or '')
  elseif isHere then
    call('ZREM', ended, entry)
    call('HDEL', followUps, entry)
    if result == 'arrived' then arrived[#arrived + 1] = entry
    elseif call('HEXISTS', messages, entry) == 1 then call('ZADD', parked, now, entry) end
  end
end
endMessages(arrived, now, false)
if #arrived > 0 then addTo(state, 'dead-lettered', #arrived) end
return answer
`);

/** Stores the results of lines. Resolves to those for which this result was the first. */
export async function linesCarried(
  client: RedisClient,
  keys: QueueKeys,
  results: ReadonlyMap<Line, LineResult>,
): Promise<Line[]> {
  if (results.size === 0) return [];
  const args = [...results].flatMap(([{ entry, number }, result]) => [
    result.kind,
    Buffer.from(entry, 'latin1'),
    number,
    result.kind === 'refused' ? (result.line ?? '') : '',
  ]);
  const scriptKeys = carriedKeys.map((name) => keys[name]);
  const reply = asList(await carriedScript.run(client, scriptKeys, args)).map(asInteger);
  return [...results.keys()].filter((_, index) => reply[index] === 1);
}
