import { compareNames, partitionName, type TopicPartition } from './topic-partition.js';

/** A group member, and the topics it reads. */
export interface AssignmentMember {
  /** Its member id. */
  readonly id: string;
  /** The topics it subscribed to. */
  readonly topics: readonly string[];
}

/** Member id → the partitions assigned to it, those it has longest first. */
export type Assignment = ReadonlyMap<string, readonly TopicPartition[]>;

/**
 * Who is to own which partition. A pure function, so every member that knows the same facts computes the same result:
 *
 * - complete and disjoint: every partition of a subscribed topic has exactly one owner, which subscribes to it;
 * - balanced: among members with the same topics the numbers of partitions differ by at most one;
 * - sticky: as few partitions as possible change their owner from `previous`. A member that must give some up gives those it has
 *   longest, so that a restart, one member leaving and another joining, moves no partition twice.
 *
 * Members with different topics (a rolling deployment that adds one) are balanced within each set of topics that have the
 * same members.
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
  const held = heldBefore(previous);
  for (const share of sharesOf(members, topics)) {
    for (const [id, partitions] of dealShare(share, held, assignment)) assignment.get(id)?.push(...partitions);
  }
  return assignment;
}

/** Partitions that the same members may own. */
interface Share {
  readonly members: readonly string[];
  readonly partitions: readonly TopicPartition[];
}

/** Topics with the same members are dealt together, those with the fewest members first: they have the fewest candidates. */
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
  held: Assignment,
  soFar: ReadonlyMap<string, readonly TopicPartition[]>,
): Map<string, TopicPartition[]> {
  const shared = new Set(partitions.map(partitionName));
  const keep = (partition: TopicPartition): boolean => shared.has(partitionName(partition));
  const dealt = new Map(members.map((id) => [id, (held.get(id) ?? []).filter(keep)]));
  const quotas = quotasOf(dealt, partitions.length, soFar);
  const kept = new Set<string>();
  for (const [id, owned] of dealt) {
    owned.splice(0, owned.length - (quotas.get(id) ?? 0));
    for (const partition of owned) kept.add(partitionName(partition));
  }
  const free = partitions.filter((partition) => !kept.has(partitionName(partition)));
  dealRound(free, dealt, quotas);
  return dealt;
}

/** `floor` each, and one more for some: first for those who hold more than `floor` already, then for those with the fewest. */
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

/** One partition per member in turn, so that each topic is spread over the members. */
function dealRound(
  free: readonly TopicPartition[],
  dealt: ReadonlyMap<string, TopicPartition[]>,
  quotas: ReadonlyMap<string, number>,
): void {
  let unfilled = [...dealt.keys()];
  let turn = 0;
  for (const partition of free) {
    unfilled = unfilled.filter((id) => (dealt.get(id)?.length ?? 0) < (quotas.get(id) ?? 0));
    const id = unfilled[turn++ % unfilled.length];
    if (id !== undefined) dealt.get(id)?.push(partition);
  }
}

/** If a plan names a partition twice, the first member by name has it. */
function heldBefore(previous: Assignment): Assignment {
  const seen = new Set<string>();
  const held = new Map<string, readonly TopicPartition[]>();
  for (const [id, partitions] of [...previous].sort(([a], [b]) => compareNames(a, b))) {
    const own = partitions.filter((partition) => !seen.has(partitionName(partition)));
    for (const partition of own) seen.add(partitionName(partition));
    held.set(id, own);
  }
  return held;
}
