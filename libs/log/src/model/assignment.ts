import { compareNames, comparePartitions, partitionName, type TopicPartition } from './topic-partition.js';

/** A member of a group, and the topics it takes part in. */
export interface AssignmentMember {
  readonly id: string;
  readonly topics: readonly string[];
}

/** Member id → the partitions it is to own, sorted. */
export type Assignment = ReadonlyMap<string, readonly TopicPartition[]>;

/**
 * Who is to own which partition. A pure function, so every member that knows the same facts computes the same answer:
 *
 * - complete and disjoint: every partition of a topic somebody takes part in has exactly one owner, who takes part in it;
 * - balanced: among members with the same topics no one has two partitions more than another;
 * - sticky: as few partitions as possible change their owner from `previous`; which ones does not depend on any order
 *   of the arguments.
 *
 * Members with different topics (a rolling deployment that adds one) are balanced within each set of topics that the
 * same members take part in.
 *
 * @param topics name → number of partitions
 */
export function assignPartitions(
  members: readonly AssignmentMember[],
  topics: ReadonlyMap<string, number>,
  previous: Assignment,
): Map<string, TopicPartition[]> {
  const assignment = new Map<string, TopicPartition[]>();
  for (const id of members.map((member) => member.id).sort(compareNames)) assignment.set(id, []);
  const owners = previousOwners(previous);
  for (const share of sharesOf(members, topics)) {
    for (const [id, partitions] of dealShare(share, owners, assignment)) assignment.get(id)?.push(...partitions);
  }
  for (const partitions of assignment.values()) partitions.sort(comparePartitions);
  return assignment;
}

/** Partitions that the same members may own. */
interface Share {
  readonly members: readonly string[];
  readonly partitions: readonly TopicPartition[];
}

/** Topics with the same members are dealt together, those with the fewest members first: they have the least choice. */
function sharesOf(members: readonly AssignmentMember[], topics: ReadonlyMap<string, number>): Share[] {
  const shares = new Map<string, { members: string[]; partitions: TopicPartition[] }>();
  for (const [topic, count] of [...topics].sort(([a], [b]) => compareNames(a, b))) {
    const ids = members.filter((member) => member.topics.includes(topic)).map((member) => member.id);
    if (ids.length === 0) continue;
    ids.sort(compareNames);
    const key = JSON.stringify(ids);
    const share = shares.get(key) ?? { members: ids, partitions: [] };
    shares.set(key, share);
    for (let partition = 0; partition < count; partition++) share.partitions.push({ topic, partition });
  }
  return [...shares]
    .sort(([a, one], [b, other]) => one.members.length - other.members.length || compareNames(a, b))
    .map(([, share]) => share);
}

function dealShare(
  { members, partitions }: Share,
  owners: ReadonlyMap<string, string>,
  soFar: ReadonlyMap<string, readonly TopicPartition[]>,
): Map<string, TopicPartition[]> {
  const dealt = new Map<string, TopicPartition[]>(members.map((id) => [id, []]));
  for (const partition of partitions) dealt.get(owners.get(partitionName(partition)) ?? '')?.push(partition);
  const quotas = quotasOf(dealt, partitions.length, soFar);
  const kept = new Set<string>();
  for (const [id, owned] of dealt) {
    owned.length = Math.min(owned.length, quotas.get(id) ?? 0);
    for (const partition of owned) kept.add(partitionName(partition));
  }
  const free = partitions.filter((partition) => !kept.has(partitionName(partition)));
  dealRound(free, dealt, quotas);
  return dealt;
}

/** `floor` each, and one more for some: first for those who hold more than `floor` already, then for the least laden. */
function quotasOf(
  held: ReadonlyMap<string, readonly TopicPartition[]>,
  count: number,
  soFar: ReadonlyMap<string, readonly TopicPartition[]>,
): Map<string, number> {
  const floor = Math.floor(count / held.size);
  const excess = (id: string): number => ((held.get(id)?.length ?? 0) > floor ? 0 : 1);
  const laden = (id: string): number => soFar.get(id)?.length ?? 0;
  const order = [...held.keys()].sort((a, b) => excess(a) - excess(b) || laden(a) - laden(b) || compareNames(a, b));
  const extra = count % held.size;
  return new Map(order.map((id, index) => [id, floor + (index < extra ? 1 : 0)]));
}

/** One partition a member in turn, so that each topic is spread over the members. */
function dealRound(
  free: readonly TopicPartition[],
  dealt: ReadonlyMap<string, TopicPartition[]>,
  quotas: ReadonlyMap<string, number>,
): void {
  let hungry = [...dealt.keys()];
  let turn = 0;
  for (const partition of free) {
    hungry = hungry.filter((id) => (dealt.get(id)?.length ?? 0) < (quotas.get(id) ?? 0));
    const id = hungry[turn++ % hungry.length];
    if (id !== undefined) dealt.get(id)?.push(partition);
  }
}

/** Should a record ever name a partition twice, the first member by name has it. */
function previousOwners(previous: Assignment): Map<string, string> {
  const owners = new Map<string, string>();
  for (const [id, partitions] of [...previous].sort(([a], [b]) => compareNames(a, b))) {
    for (const partition of partitions) {
      const name = partitionName(partition);
      if (!owners.has(name)) owners.set(name, id);
    }
  }
  return owners;
}
