import { integerProblem } from '@millrace/core';
import { type Assignment, assignPartitions } from './assignment.js';
import { parseSubscription, type Subscription, topicsTaken } from './subscription.js';
import { maxPartitions } from './topic.js';
import { compareNames, type TopicPartition } from './topic-partition.js';

/** A topic as a group sees it. */
export interface PlannedTopic {
  /** Distinguishes it from another topic of its name, deleted earlier or declared later. 0 in a plan of an older version: unknown. */
  readonly id: number;
  readonly partitions: number;
  /**
   * How many partitions the topic had when the group first read it. The group starts to read these where its
   * `from` says, and all later ones at their beginning: otherwise `latest` would skip what was written before they were noticed.
   */
  readonly initial: number;
}

/**
 * The recorded target of a group: which member owns what, and the facts it was computed from. It is replaced by
 * compare-and-set, so that all members follow the same one.
 */
export interface GroupPlan {
  readonly topics: ReadonlyMap<string, PlannedTopic>;
  /** Member id → its subscription, as JSON. */
  readonly members: ReadonlyMap<string, string>;
  readonly assignment: Assignment;
}

export const emptyPlan: GroupPlan = { topics: new Map(), members: new Map(), assignment: new Map() };

/**
 * The plan that follows from `previous` when the group has these members and these topics; `previous` itself when
 * it is still right, so that no member writes an unchanged plan.
 */
export function nextPlan(
  previous: GroupPlan,
  subscriptions: ReadonlyMap<string, Subscription>,
  topics: ReadonlyMap<string, PlannedTopic>,
  deadLetterTopics: ReadonlySet<string>,
): GroupPlan {
  const members = new Map(
    [...subscriptions]
      .sort(([a], [b]) => compareNames(a, b))
      .map(([id, subscription]) => [id, JSON.stringify(subscription)]),
  );
  const sameMembers = sameEntries(previous.members, members, (a, b) => a === b);
  const sameTopic = (a: PlannedTopic, b: PlannedTopic): boolean => a.id === b.id && a.partitions === b.partitions;
  if (sameMembers && sameEntries(previous.topics, topics, sameTopic)) return previous;
  const takers = [...subscriptions].map(([id, subscription]) => ({
    id,
    topics: topicsTaken(subscription, topics.keys(), deadLetterTopics),
  }));
  const counts = new Map([...topics].map(([name, { partitions }]) => [name, partitions]));
  return { topics, members, assignment: assignPartitions(takers, counts, previous.assignment) };
}

/**
 * Topics for the next plan: those with a subscriber, as they are now. A topic that was planned before keeps its `initial`;
 * one that a member already waited for is read from its beginning, and so is one that was deleted and declared again.
 *
 * @param known existing topics, by name
 * @param deadLetterTopics topics that a pattern matches only when it names them
 */
export function plannedTopics(
  previous: GroupPlan,
  subscriptions: Iterable<Subscription>,
  known: ReadonlyMap<string, Pick<PlannedTopic, 'id' | 'partitions'>>,
  deadLetterTopics: ReadonlySet<string>,
): Map<string, PlannedTopic> {
  const taken = (by: Iterable<Subscription>): Set<string> =>
    new Set([...by].flatMap((subscription) => topicsTaken(subscription, known.keys(), deadLetterTopics)));
  const awaited = taken(
    [...previous.members.values()].map(parseSubscription).filter((subscription) => subscription !== undefined),
  );
  const planned = new Map<string, PlannedTopic>();
  for (const name of [...taken(subscriptions)].sort(compareNames)) {
    const { id, partitions } = known.get(name) ?? { id: 0, partitions: 0 };
    const before = previous.topics.get(name);
    const isSame = before !== undefined && (before.id === id || before.id === 0);
    planned.set(name, { id, partitions, initial: isSame ? before.initial : awaited.has(name) ? 0 : partitions });
  }
  return planned;
}

/** Compact, because names are long and partitions many: `{ members: { a: [['orders', 0, 2]] } }`, in the order in which they are held. */
export function encodePlan(plan: GroupPlan): string {
  const assignment = [...plan.assignment].map(([id, owned]) => [id, runsOf(owned)] as const);
  return JSON.stringify({
    topics: Object.fromEntries(
      [...plan.topics].map(([name, topic]) => [name, [topic.partitions, topic.initial, topic.id]]),
    ),
    members: Object.fromEntries(plan.members),
    assignment: Object.fromEntries(assignment),
  });
}

/** Parses the plan stored in Redis. One that cannot be read counts as none: the members make a new one. */
export function parsePlan(json: string): GroupPlan {
  try {
    const plan = decodePlan(json);
    return isSound(plan) ? plan : emptyPlan;
  } catch {
    return emptyPlan;
  }
}

/** Each partition of each topic has one owner, which is a member. Checked because any client may have written the plan. */
function isSound({ topics, members, assignment }: GroupPlan): boolean {
  const owned = new Map([...topics].map(([name]) => [name, new Set<number>()] as const));
  const isCount = (count: unknown): boolean => integerProblem('', count, { max: maxPartitions }) === undefined;
  if (![...topics.values()].every(({ partitions, initial }) => isCount(partitions) && isCount(initial))) return false;
  if (![...members.values()].every((subscription) => typeof subscription === 'string')) return false;
  for (const [id, partitions] of assignment) {
    if (!members.has(id)) return false;
    for (const { topic, partition } of partitions) {
      const count = topics.get(topic)?.partitions ?? 0;
      const taken = owned.get(topic);
      if (taken?.has(partition) !== false || !Number.isInteger(partition) || partition < 0 || partition >= count)
        return false;
      taken.add(partition);
    }
  }
  return [...topics].every(([name, { partitions }]) => owned.get(name)?.size === partitions);
}

export function decodePlan(json: string): GroupPlan {
  const plan: {
    topics: Record<string, [partitions: number, initial: number, id?: number]>;
    members: Record<string, string>;
    assignment: Record<string, PartitionRun[]>;
  } = JSON.parse(json);
  const topics = Object.entries(plan.topics).map(
    ([name, [partitions, initial, id]]) =>
      [name, { id: Number.isSafeInteger(id) ? Number(id) : 0, partitions, initial }] as const,
  );
  const assignment = Object.entries(plan.assignment).map(([id, runs]) => [id, partitionsOf(runs)] as const);
  return { topics: new Map(topics), members: new Map(Object.entries(plan.members)), assignment: new Map(assignment) };
}

/** A topic, and some of its partitions. */
type PartitionRun = [topic: string, ...partitions: number[]];

function runsOf(partitions: readonly TopicPartition[]): PartitionRun[] {
  const runs: PartitionRun[] = [];
  for (const { topic, partition } of partitions) {
    const last = runs.at(-1);
    if (last?.[0] === topic) last.push(partition);
    else runs.push([topic, partition]);
  }
  return runs;
}

function partitionsOf(runs: readonly PartitionRun[]): TopicPartition[] {
  return runs.flatMap(([topic, ...partitions]) => partitions.map((partition) => ({ topic, partition })));
}

function sameEntries<T>(a: ReadonlyMap<string, T>, b: ReadonlyMap<string, T>, same: (a: T, b: T) => boolean): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) {
    const other = b.get(key);
    if (other === undefined || !same(value, other)) return false;
  }
  return true;
}
