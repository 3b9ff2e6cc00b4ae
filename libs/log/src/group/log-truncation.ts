import type { RedisClient } from '@millrace/redis';
import type { Anchor } from '../store/commit.js';
import { lookAtGroup } from '../store/group-offsets.js';
import { partitionKeys } from '../store/keys.js';
import type { GroupPartition } from '../store/lease.js';
import { entryAt } from '../store/read.js';

/** Where a group continues if the log does not hold what was read up to `anchor`; undefined when it does, or its topic is deleted. */
export async function offsetAfterTruncation(
  client: RedisClient,
  { place, topicId }: { readonly place: GroupPartition; readonly topicId: number },
  anchor: Anchor | undefined,
): Promise<number | undefined> {
  if (anchor === undefined) return undefined;
  const keys = partitionKeys(place.prefix, place.topic, place.partition);
  const [entry, group] = await Promise.all([entryAt(client, keys, anchor.endOffset), lookAtGroup(client, place)]);
  if (group === undefined || group.topicId !== topicId) return undefined;
  // Retention may have removed it since, which is not a loss.
  if (entry === undefined && group.start >= anchor.endOffset) return undefined;
  if (entry !== undefined && entry.nonce === anchor.nonce) return undefined;
  return Math.min(group.committed ?? group.end, group.end);
}
