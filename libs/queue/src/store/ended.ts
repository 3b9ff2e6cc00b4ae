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
import { packLatin1, packTexts } from './message-packer.js';
import { MessageUnpacker } from './message-unpacker.js';

/** Most lines, and most bytes of their frames, that are carried together. */
export const pieceLines = 200;
const pieceBytes = 1024 * 1024;

const nextKeys = ['ended', 'followUps', 'messages'] as const;

// Reads lines of a queue, in the order of the endings.
//
// KEYS
//   ended      :ended       read
//   followUps  :follow-ups  read
//   messages   :messages    read
// ARGV     after      the number after which they begin, or '' for the first
//          most       lines
//          mostBytes  of frames; one line may have more
// RETURNS  nil when there are none. Else { the lowest number in the queue, four MessagePack lists: entries, numbers, lines or '', frames or '' }
// EFFECTS  none
const nextScript = new Script(`#!lua flags=no-writes
local call = redis.call
${keyNames(...nextKeys)}
${argNames('after', 'most', 'mostBytes')}
local found = call('ZRANGE', ended, after == '' and '-inf' or '(' .. after, '+inf', 'BYSCORE', 'LIMIT', 0, most, 'WITHSCORES')
if #found == 0 then return nil end
local entries, numbers, frames, bytes = {}, {}, {}, 0
for i = 1, #found, 2 do
  local frame = call('HGET', messages, found[i]) or ''
  bytes = bytes + #frame
  if i > 1 and bytes > tonumber(mostBytes) then break end
  local n = #entries + 1
  entries[n], numbers[n], frames[n] = found[i], ('%.0f'):format(found[i + 1]), frame
end
local lines = call('HMGET', followUps, unpack(entries))
for i = 1, #lines do lines[i] = lines[i] or '' end
local lowest = after == '' and numbers[1] or ('%.0f'):format(call('ZRANGE', ended, 0, 0, 'WITHSCORES')[2])
return {lowest, cmsgpack.pack(entries, numbers, lines, frames)}
`);

/** Lines to carry. */
export interface LinePiece {
  readonly lines: readonly Line[];
  /** The lowest number in the queue, or of `lines`: a line with a lower one does not come any more. */
  readonly floor: string;
}

/** The next lines to carry, in the order of the endings: those with a number above `after`. Undefined when there are none. */
export async function nextLines(
  client: RedisClient,
  keys: QueueKeys,
  after: string | undefined,
): Promise<LinePiece | undefined> {
  const scriptKeys = nextKeys.map((name) => keys[name]);
  const reply = orNothing(await nextScript.run(client, scriptKeys, [after ?? '', pieceLines, pieceBytes]), asList);
  if (reply === undefined) return undefined;
  const packed = new MessageUnpacker(asBytes(reply[1]));
  const list = (): Buffer[] => Array.from({ length: packed.list() }, () => packed.next());
  const [entries, numbers, texts, frames] = [list(), list(), list(), list()];
  const lines = entries.map((entry, index) => {
    const frame = frames[index];
    return {
      entry: entry.toString('latin1'),
      number: asText(numbers[index]),
      ...parseLine(asText(texts[index])),
      frame: frame === undefined || frame.length === 0 ? undefined : frame,
    };
  });
  return { lines, floor: asText(reply[0]) };
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
// ARGV     packed  four MessagePack lists: arrived | refused | parked, entries, numbers, the lines they become, or ''
// RETURNS  per line 1, or 0 when it was left alone
// EFFECTS  see KEYS
const carriedScript = new Script(`#!lua flags=allow-oom
local call = redis.call
${keyNames(...carriedKeys)}
${argNames('packed')}
${addTo}
${endMessages}
${followEnding}
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local results, entries, numbers, lines = cmsgpack.unpack(packed)
local present = call('ZMSCORE', ended, unpack(entries))
local arrived, done, answer = {}, {}, {}
for i, entry in ipairs(entries) do
  local isHere, result = tonumber(present[i]) == tonumber(numbers[i]), results[i]
  answer[i] = isHere and 1 or 0
  if isHere and result == 'refused' then
    follow(state, ended, followUps, entry, lines[i] ~= '' and lines[i] or call('HGET', followUps, entry) or '')
  elseif isHere then
    done[#done + 1] = entry
    if result == 'arrived' then arrived[#arrived + 1] = entry
    elseif call('HEXISTS', messages, entry) == 1 then call('ZADD', parked, now, entry) end
  end
end
if #done > 0 then
  call('ZREM', ended, unpack(done))
  call('HDEL', followUps, unpack(done))
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
  const lines = [...results.keys()];
  const outcomes = [...results.values()];
  const packed = Buffer.concat([
    packTexts(outcomes.map(({ kind }) => kind)),
    packLatin1(lines.map(({ entry }) => entry)),
    packTexts(lines.map(({ number }) => number)),
    packTexts(outcomes.map((outcome) => (outcome.kind === 'refused' && outcome.line) || '')),
  ]);
  const scriptKeys = carriedKeys.map((name) => keys[name]);
  const reply = asList(await carriedScript.run(client, scriptKeys, [packed])).map(asInteger);
  return lines.filter((_, index) => reply[index] === 1);
}
