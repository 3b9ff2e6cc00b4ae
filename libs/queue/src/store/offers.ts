import { keyNames, type RedisClient, Script } from '@millrace/redis';
import { type QueueKeys, waitingKeys } from './keys.js';
import type { Taken } from './taken.js';
import { waitingLists } from './waiting.js';

// A message that comes while a consumer waits is offered: it goes to that consumer with the wake-up, frame and all, and stands in
// `offered` under its number until the consumer claims it with its next turn. Then nothing older waits in the queue, so the
// place of an offer is before all that waits: there it returns when it is declined, and when it is recalled because nobody
// claimed it. Any consumer may have popped it from `wake`, so nothing says whose it is; only who is alone may take offers over.

/** An offer that is not claimed is recalled after this time, at most after twice as long: its consumer is held up, or gone. */
export const recallMs = 10_000;

/**
 * Lua: `giveBackOffers(entries)` puts offers, in the order of their numbers, before all that waits. Needs `waitingLists`, the keys
 * `settings`, `state`, `messages`, `offered`.
 */
export const giveBackOffers = `
local function giveBackOffers(entries)
  local limitBytes = #entries > 0 and redis.call('HEXISTS', settings, 'max-bytes') == 1
  for i = #entries, 1, -1 do
    local bytes = redis.call('ZREM', offered, entries[i]) == 1 and redis.call('HSTRLEN', messages, entries[i]) or 0
    if bytes > 0 then
      putFirst(0, entries[i])
      if limitBytes then redis.call('HINCRBY', state, 'bytes', bytes) end
    end
  end
end`;

const declineKeys = ['settings', 'state', 'messages', 'offered'] as const;

// Takes back offers that a consumer has no room for.
//
// KEYS     those of `declineKeys`, then the lists in which messages of priority 0 wait: no other is offered
//   settings   :settings   max-bytes: read
//   state      :state      bytes: kept
//   messages   :messages   whether they live, and how long their frames are
//   offered    :offered    they go
//              :ready, :front, :kept   they come, before all that waits
// ARGV     entries, in the order of their offers
// RETURNS  1
// EFFECTS  as said of the keys; what was claimed, recalled or has ended meanwhile stays as it is
const declineScript = new Script(`#!lua flags=allow-oom
${keyNames(...declineKeys)}
${waitingLists}
${giveBackOffers}
giveBackOffers(ARGV)
return 1
`);

/** What was offered to a consumer that has no room for it. What is lost of this is recalled later. */
export async function declineOffers(client: RedisClient, keys: QueueKeys, entries: readonly string[]): Promise<void> {
  const scriptKeys = [...declineKeys.map((name) => keys[name]), ...waitingKeys(keys, 1)];
  await declineScript.run(client, scriptKeys, entries).catch(() => undefined);
}

/** A message that came along with a wake-up. */
export interface Offer {
  readonly message: Taken;
  /** It grows from offer to offer of a queue. */
  readonly number: number;
  /** By Redis' clock. */
  readonly offeredAt: number;
}
