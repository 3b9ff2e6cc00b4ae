import { type RedisClient, Script } from '@millrace/redis';
import type { QueueKeys } from './keys.js';
import type { Taken } from './taken.js';

// A message that comes while a consumer waits is offered: it goes to that consumer with the wake-up, frame and all, and stands in
// `offered` under its number until the consumer claims it with its next turn. Then nothing older waits in the queue, so the
// place of an offer is before all that waits: there it returns when it is declined, and when it is recalled because nobody
// claimed it. Any consumer may have popped it from `wake`, so nothing says whose it is; only who is alone may take offers over.

/** Nobody claims an offer any more after twice this time: that much must a consumer be held up, or be gone. */
export const recallMs = 10_000;

/**
 * Lua: `giveBackOffers(offered, messages, ready, meta, ids)` puts offers, in the order of their numbers, before all that waits;
 * `meta` is nil where no bytes are counted.
 */
export const giveBackOffers = `
local function giveBackOffers(offered, messages, ready, meta, ids)
  for i = #ids, 1, -1 do
    local bytes = redis.call('ZREM', offered, ids[i]) == 1 and redis.call('HSTRLEN', messages, ids[i]) or 0
    if bytes > 0 then
      redis.call('LPUSH', ready, ids[i])
      if meta then redis.call('HINCRBY', meta, 'bytes', bytes) end
    end
  end
end`;

// KEYS 1 offered 2 messages 3 ready of priority 0 4 meta
// ARGV ids, in the order of their offers
// RETURNS 1
const declineScript = new Script(`#!lua flags=allow-oom
${giveBackOffers}
local isLimited = redis.call('HEXISTS', KEYS[4], 'max-bytes') == 1
giveBackOffers(KEYS[1], KEYS[2], KEYS[3], isLimited and KEYS[4] or nil, ARGV)
return 1
`);

/** What was offered to a consumer that has no room for it. What is lost of this is recalled later. */
export async function declineOffers(client: RedisClient, keys: QueueKeys, ids: readonly string[]): Promise<void> {
  await declineScript.run(client, [keys.offered, keys.messages, keys.ready, keys.meta], ids).catch(() => undefined);
}

/** A message that came along with a wake-up. */
export interface Offer {
  readonly message: Taken;
  /** It grows from offer to offer of a queue. */
  readonly number: number;
  /** By Redis' clock. */
  readonly offeredAt: number;
}
