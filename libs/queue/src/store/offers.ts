import { keyNames, type RedisClient, Script } from '@millrace/redis';
import { addTo } from './counters.js';
import { type QueueKeys, waitingKeys } from './keys.js';
import type { Taken } from './taken.js';
import { waitingLists } from './waiting.js';

// A message that comes while a consumer waits is offered: it is sent to that consumer with the wake-up, including its frame, and is in
// `offered` under its number until the consumer claims it with its next turn. At that moment nothing older waits in the queue, so the
// place of an offer is before everything that waits: there it returns when it is declined, and when it is recalled because it was not
// claimed. Any consumer may have popped it from `wake`, so its receiver is unknown; only a consumer that is alone may take offers over.

/** An offer that is not claimed is recalled after this time, at most after twice as long: its consumer stalls, or is gone. */
export const recallMs = 10_000;

/**
 * Lua: `giveBackOffers(entries)` puts offers, in the order of their numbers, before everything that waits. Needs `addTo`, `waitingLists`, the keys
 * `settings`, `state`, `messages`, `offered`.
 */
export const giveBackOffers = `
local function giveBackOffers(entries)
  local limitBytes = #entries > 0 and redis.call('HEXISTS', settings, 'max-bytes') == 1
  for i = #entries, 1, -1 do
    local bytes = redis.call('ZREM', offered, entries[i]) == 1 and redis.call('HSTRLEN', messages, entries[i]) or 0
    if bytes > 0 then
      putFirst(0, entries[i])
      if limitBytes then addTo(state, 'bytes', bytes) end
    end
  end
end`;

const declineKeys = ['settings', 'state', 'messages', 'offered'] as const;

// Takes back offers that a consumer has no room for.
//
// KEYS     those of `declineKeys`, then the lists of waiting messages of priority 0: no other is offered
//   settings   :settings   max-bytes: read
//   state      :state      bytes: updated
//   messages   :messages   frames: checked and measured
//   offered    :offered    the entries: removed
//              :ready, :front, :kept   the entries: added, before everything that waits
// ARGV     entries, in the order of their offers
// RETURNS  1
// EFFECTS  see KEYS; an offer that was claimed or recalled, or has ended meanwhile, stays as it is
const declineScript = new Script(`#!lua flags=allow-oom
${keyNames(...declineKeys)}
${addTo}
${waitingLists}
${giveBackOffers}
giveBackOffers(ARGV)
return 1
`);

/** Declines offers that a consumer has no room for. If this call is lost, they are recalled later. */
export async function declineOffers(client: RedisClient, keys: QueueKeys, entries: readonly string[]): Promise<void> {
  const scriptKeys = [...declineKeys.map((name) => keys[name]), ...waitingKeys(keys, 1)];
  await declineScript.run(client, scriptKeys, entries).catch(() => undefined);
}

/** A message that came with a wake-up. */
export interface Offer {
  readonly message: Taken;
  /** Increases with each offer of a queue. */
  readonly number: number;
  /** By Redis' clock. */
  readonly offeredAt: number;
}
