import { lagMsOf, lagOf, type QueueSnapshot, type Snapshot, type TopicSnapshot } from '@millrace/admin';
import { deadLettersOf } from '@millrace/core';

/** What was read at one moment. */
export interface Sample {
  readonly snapshot: Snapshot;
  /** Queue → messages that were handled since the services run. */
  readonly handled: ReadonlyMap<string, number>;
  /** When, in ms by a clock that never goes back. */
  readonly at: number;
}

/** What the table shows. A rate is unknown until there were two looks. */
export interface Status {
  readonly topics: readonly TopicStatus[];
  readonly queues: readonly QueueStatus[];
  readonly deadLetters: readonly { readonly name: string; readonly count: number }[];
}

export interface TopicStatus {
  readonly name: string;
  readonly partitions: number;
  readonly records: number;
  readonly perSecond: number | undefined;
  readonly groups: readonly GroupStatus[];
}

export interface GroupStatus {
  readonly name: string;
  readonly members: number;
  readonly lag: number;
  readonly lagMs: number;
  readonly perSecond: number | undefined;
}

export interface QueueStatus {
  readonly name: string;
  readonly waiting: number;
  readonly inHand: number;
  readonly delayed: number;
  readonly consumers: number;
  readonly oldestMs: number | undefined;
  readonly perSecond: number | undefined;
}

/** Rates are taken from what changed since `before`. */
export function statusOf(now: Sample, before?: Sample): Status {
  const { topics, queues } = now.snapshot;
  const deadTopics = new Set(topics.flatMap(({ topic }) => (topic.deadLetter ? [topic.deadLetter.topic] : [])));
  const deadQueues = new Set(queues.map(({ queue }) => deadLettersOf(queue)));
  const isDead = (name: string): boolean => deadTopics.has(name) || deadQueues.has(name);
  return {
    topics: topics.filter(({ topic }) => !isDead(topic.name)).map((topic) => topicStatus(topic, now, before)),
    queues: queues.filter(({ queue }) => !isDead(queue)).map((queue) => queueStatus(queue, now, before)),
    deadLetters: [
      ...topics
        .filter(({ topic }) => deadTopics.has(topic.name))
        .map((topic) => ({ name: topic.topic.name, count: endOf(topic) - startOf(topic) })),
      ...queues
        .filter(({ queue }) => deadQueues.has(queue))
        .map(({ queue, messages }) => ({ name: queue, count: messages })),
    ],
  };
}

function topicStatus(topic: TopicSnapshot, now: Sample, before: Sample | undefined): TopicStatus {
  const { name, partitions } = topic.topic;
  const old = before?.snapshot.topics.find((other) => other.topic.name === name);
  return {
    name,
    partitions,
    records: endOf(topic) - startOf(topic),
    perSecond: rate(endOf(topic), old && endOf(old), now, before),
    groups: groupNames(topic).map((group) => groupStatus(topic, old, group, now, before)),
  };
}

function groupStatus(
  topic: TopicSnapshot,
  old: TopicSnapshot | undefined,
  name: string,
  now: Sample,
  before: Sample | undefined,
): GroupStatus {
  let [lag, lagMs] = [0, 0];
  for (const partition of topic.partitions) {
    for (const offset of partition.groups.filter(({ group }) => group === name)) {
      lag += lagOf(partition, offset);
      lagMs = Math.max(lagMs, lagMsOf(partition, offset));
    }
  }
  const members = now.snapshot.groups.find(({ group }) => group === name)?.members ?? 0;
  const perSecond = rate(committedOf(topic, name), old && committedOf(old, name), now, before);
  return { name, members, lag, lagMs, perSecond };
}

function queueStatus(snapshot: QueueSnapshot, now: Sample, before: Sample | undefined): QueueStatus {
  const { queue: name, ready: waiting, unacked: inHand, delayed, consumers, oldestAgeMs: oldestMs } = snapshot;
  const perSecond = rate(now.handled.get(name), before?.handled.get(name), now, before);
  return { name, waiting, inHand, delayed, consumers, oldestMs, perSecond };
}

function rate(
  count: number | undefined,
  old: number | undefined,
  now: Sample,
  before: Sample | undefined,
): number | undefined {
  if (count === undefined || old === undefined || before === undefined || now.at <= before.at) return undefined;
  return (Math.max(0, count - old) * 1000) / (now.at - before.at);
}

function groupNames({ partitions }: TopicSnapshot): string[] {
  return [...new Set(partitions.flatMap(({ groups }) => groups.map(({ group }) => group)))].sort();
}

function committedOf({ partitions }: TopicSnapshot, name: string): number {
  const offsets = partitions.flatMap(({ groups }) => groups.filter(({ group }) => group === name));
  return offsets.reduce((sum, { committed }) => sum + committed, 0);
}

function startOf({ partitions }: TopicSnapshot): number {
  return partitions.reduce((sum, { start }) => sum + start, 0);
}

function endOf({ partitions }: TopicSnapshot): number {
  return partitions.reduce((sum, { end }) => sum + end, 0);
}
