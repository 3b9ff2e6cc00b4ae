import { storedInteger } from '@millrace/core';
import type { RedisClient } from '@millrace/redis';
import { inPublishOrder } from '../model/publish-order.js';
import type { ConsumerKeys } from './consumer-keys.js';
import { namedEntries } from './foreign-entries.js';
import { Taken } from './taken.js';

/**
 * What Redis holds for a consumer: `ids` of all, the messages of those that `isWanted` selects, in the order of publishing; `gone`
 * are ids without a message.
 */
export async function heldMessages(
  client: RedisClient,
  keys: ConsumerKeys,
  isWanted: (id: string) => boolean,
): Promise<{ readonly ids: ReadonlySet<string>; readonly found: readonly Taken[]; readonly gone: readonly string[] }> {
  const all = new Set(await namedEntries(client, keys, await client.smembersBuffer(keys.unacked)));
  const ids = [...all].filter(isWanted);
  if (ids.length === 0) return { ids: all, found: [], gone: [] };
  const [frames, counts, handled] = await Promise.all([
    client.hmgetBuffer(keys.all.messages, ...ids),
    client.hmget(keys.all.counts, ...ids),
    client.hmget(keys.all.handled, ...ids),
  ]);
  const found = ids.flatMap((id, index) => {
    const frame = frames[index];
    if (frame === null || frame === undefined) return [];
    return [new Taken(id, frame, storedInteger(counts[index] ?? '0') ?? 0, handled[index] ?? undefined)];
  });
  return { ids: all, found: inPublishOrder(found), gone: ids.filter((_, index) => !frames[index]) };
}
