import type { Snapshot } from '@millrace/admin';
import { keepsDeadLetters, sourceOfDeadLetters } from '@millrace/core';
import type { ConsumerHandle } from '../consumers/consumer-handle.js';

type Reader = Pick<ConsumerHandle, 'label' | 'isRunning' | 'queue' | 'topics'>;

/**
 * The queues and topics that running consumers read and that do not exist: they were deleted, or Redis came back without its data. Such a
 * consumer gets nothing, so no other figure shows it.
 */
export function missingSources(snapshot: Snapshot, handles: readonly Reader[]): string[] {
  const topics = new Set(snapshot.topics.map(({ topic }) => topic.name));
  const queues = new Set(snapshot.queues.map(({ queue }) => queue));
  // What could not be read is another problem.
  const isUnread = (queue: string): boolean =>
    snapshot.unread.some(({ what }) => what === `queue ${queue}` || what.startsWith(`queue ${queue}, shard `));
  const isThere = (topic: string): boolean =>
    topics.has(topic) || (keepsDeadLetters(topic) && topics.has(sourceOfDeadLetters(topic)));
  return handles
    .filter(({ isRunning }) => isRunning)
    .flatMap(({ label, queue, topics: read }) => [
      ...read.filter((topic) => !isThere(topic)).map((topic) => `topic ${topic} of ${label} does not exist`),
      ...(queue === undefined || queues.has(queue) || isUnread(queue)
        ? []
        : [`queue ${queue} of ${label} does not exist`]),
    ]);
}
