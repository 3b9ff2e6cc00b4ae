import { assertName, assertNoProblem, topicNameProblem } from '@millrace/core';
import type { RedisConnection } from '@millrace/redis';
import { idempotently } from '../idempotent-call.js';
import { parsePlan } from '../model/group-plan.js';
import { partitionProblems } from '../model/topic.js';
import type { TopicPartition } from '../model/topic-partition.js';
import type { PartitionReader } from '../reader/partition-reader.js';
import { offsetOf } from '../reader/seek-target.js';
import { keepFromNowOn } from '../store/group-expiry.js';
import { type GroupPartitionState, lookAtGroup, setGroupOffset } from '../store/group-offsets.js';
import { groupKeys, groupsKey } from '../store/keys.js';
import { nameGroup, readGroup, type StoredGroup } from '../store/stored-group.js';
import type { Topics } from '../topics/topics.js';
import { groupIsActive, whileLocked } from './group-lock.js';
import { GroupRemovals } from './group-removals.js';
import { checkedReset, type OffsetReset, type ResetTarget } from './offset-reset.js';

/** How far a group is behind in one partition. */
export interface PartitionLag extends TopicPartition {
  /** The next offset the group will read. */
  readonly committed: number;
  /** Offset of the oldest record that can be read. */
  readonly start: number;
  /** The offset that the next record will get. */
  readonly end: number;
  /** Records that the group has still to read, exactly: end − committed, without those removed before it read them. */
  readonly lag: number;
  /** How long the oldest unread record has been waiting, in ms since its append, whatever its own timestamp. 0 when there is none. */
  readonly timeLagMs: number;
  /** Member id of the partition's owner. */
  readonly owner: string | undefined;
  /** Grows with each change of the owner. */
  readonly epoch: number;
}

/** A group, its members, and how far it is behind. */
export interface GroupDescription {
  /** Its name. */ readonly group: string;
  /** `active`: it has members. */
  readonly state: 'active' | 'empty';
  /** Grows with each new plan. */
  readonly generation: number;
  /** Members whose session has not ended, with the partitions the plan assigns to them. */
  readonly members: readonly { readonly memberId: string; readonly partitions: readonly TopicPartition[] }[];
  /** Every partition in which it has an offset. */
  readonly partitions: readonly PartitionLag[];
}

/** One partition's part of a reset. */
export interface OffsetChange extends TopicPartition {
  /** Undefined when the group had no offset here. */
  readonly from: number | undefined;
  /** The next offset the group reads here. */
  readonly to: number;
}

/** Consumer groups as an operator sees them. */
export class Groups {
  readonly #connection: RedisConnection;
  readonly #topics: Topics;
  readonly #reader: PartitionReader;
  readonly #removals: GroupRemovals;

  constructor(connection: RedisConnection, topics: Topics, reader: PartitionReader) {
    this.#connection = connection;
    this.#topics = topics;
    this.#reader = reader;
    this.#removals = new GroupRemovals(connection, topics);
  }

  /** All groups that ever had a member or were given an offset, and were neither deleted nor expired; sorted by name. */
  async list(): Promise<string[]> {
    const names = await this.#ask('list the groups', (client) => client.smembers(groupsKey(this.#connection.prefix)));
    return names.sort();
  }

  /** A group's members, the partitions the plan assigns to them, and its lag. */
  async describe(group: string): Promise<GroupDescription> {
    assertName('group', group);
    const [stored, partitions] = await Promise.all([this.#stored(group), this.lag(group)]);
    const assignment = stored.plan === undefined ? undefined : parsePlan(stored.plan).assignment;
    const members = stored.memberIds.map((memberId) => ({ memberId, partitions: assignment?.get(memberId) ?? [] }));
    const state = members.length > 0 ? 'active' : 'empty';
    return { group, state, generation: stored.generation, members, partitions };
  }

  /** How far the group is behind, in every partition it has an offset in; with a topic, only in those of the topic. */
  async lag(group: string, topic?: string): Promise<PartitionLag[]> {
    assertName('group', group);
    const partitions = (await this.#allPartitions()).filter((one) => topic === undefined || one.topic === topic);
    const lags = await Promise.all(partitions.map((partition) => this.#lagIn(group, partition)));
    return lags.filter((lag) => lag !== undefined);
  }

  /**
   * Moves the offsets of a group that has no members. Resolves to what was changed, or would be.
   *
   * @throws {OptionsError} the group is active, an option is wrong, or there is no such partition; nothing was changed
   * @throws {OffsetOutOfRangeError} a log does not hold the offset; nothing was changed
   */
  async resetOffsets(group: string, reset: OffsetReset): Promise<OffsetChange[]> {
    // It may be a new group's name: operators may still look at and remove an older one of another name.
    assertNoProblem('group', topicNameProblem(group, 'group'));
    const { topic, partitions, to, dryRun } = checkedReset(group, reset);
    const known = await this.#topics.describe(topic);
    assertNoProblem(`reset of group "${group}"`, ...partitionProblems(known, partitions));
    const wanted = partitions ?? known.partitionStates.map((_, partition) => partition);
    const plan = (): Promise<OffsetChange[]> =>
      Promise.all(wanted.map((partition) => this.#change(group, { topic, partition }, to)));
    if (dryRun) return plan();
    return whileLocked(this.#connection, group, async () => {
      const changes = await plan();
      for (const change of changes) await this.#apply(group, change);
      await this.#name(group);
      return changes;
    });
  }

  /** Deletes a group that has no members, with its offsets. Resolves to false when there was none. @throws {OptionsError} it is active */
  delete(group: string): Promise<boolean> {
    return this.#removals.delete(group);
  }

  /**
   * Deletes the group's offsets in one topic: if it reads the topic again, it starts as a new group. The group may be active, as
   * long as no member subscribes to the topic (KIP-496).
   *
   * @throws {OptionsError} a member reads the topic; nothing was changed @throws {TopicNotFoundError}
   */
  deleteOffsets(group: string, topic: string): Promise<void> {
    return this.#removals.deleteOffsets(group, topic);
  }

  /**
   * Ends a member's session, so that the others need not wait for a static member that is dead. A process that is alive rejoins
   * with its next heartbeat. Resolves to false when the group has no such member.
   */
  removeMember(group: string, memberId: string): Promise<boolean> {
    return this.#removals.removeMember(group, memberId);
  }

  /**
   * Deletes a group that has had no member for `retentionMs`, as upkeep does (`offsetsRetentionMs`). Resolves to whether it did.
   *
   * @throws {OptionsError} `retentionMs` is not a whole number
   */
  expire(group: string, retentionMs: number): Promise<boolean> {
    return this.#removals.expire(group, retentionMs);
  }

  async #lagIn(group: string, { topic, partition }: TopicPartition): Promise<PartitionLag | undefined> {
    const place = await this.#look(group, { topic, partition });
    if (place?.committed === undefined) return undefined;
    const { committed, start, end, owner, epoch, nextAppendedAt, nowMs } = place;
    return {
      topic,
      partition,
      committed,
      start,
      end,
      lag: Math.max(0, end - Math.max(committed, start)),
      timeLagMs: nextAppendedAt === undefined ? 0 : Math.max(0, nowMs - nextAppendedAt),
      owner: owner?.slice(0, owner.lastIndexOf(' ')),
      epoch,
    };
  }

  async #change(group: string, partition: TopicPartition, to: ResetTarget): Promise<OffsetChange> {
    const place = await this.#look(group, partition);
    const from = place?.committed;
    if (typeof to !== 'object' || to === null || !('shiftBy' in to)) {
      return { ...partition, from, to: await offsetOf(this.#reader, partition, to) };
    }
    const { start = 0, end = 0 } = place ?? {};
    return { ...partition, from, to: Math.min(Math.max((from ?? start) + to.shiftBy, start), end) };
  }

  async #apply(group: string, { topic, partition, to }: OffsetChange): Promise<void> {
    const place = { prefix: this.#connection.prefix, group, topic, partition };
    const what = `move group "${group}" in topic "${topic}", partition ${partition}`;
    if ((await this.#ask(what, (client) => setGroupOffset(client, place, to))) === 'held') throw groupIsActive(group);
  }

  /** Lists the group, and keeps it as long as one whose last member left now. */
  async #name(group: string): Promise<void> {
    const { prefix } = this.#connection;
    await this.#ask(`name group "${group}"`, (client) => nameGroup(client, groupsKey(prefix), group));
    await this.#ask(`name group "${group}"`, (client) => keepFromNowOn(client, groupKeys(prefix, group)));
  }

  async #allPartitions(): Promise<TopicPartition[]> {
    const topics = await this.#topics.list();
    return topics.flatMap(({ name: topic, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
    );
  }

  #stored(group: string): Promise<StoredGroup> {
    const keys = groupKeys(this.#connection.prefix, group);
    return this.#ask(`look at group "${group}"`, (client) => readGroup(client, keys));
  }

  #look(group: string, partition: TopicPartition): Promise<GroupPartitionState | undefined> {
    const place = { prefix: this.#connection.prefix, group, ...partition };
    return this.#ask(`look at group "${group}"`, (client) => lookAtGroup(client, place));
  }

  #ask<T>(what: string, call: (client: RedisConnection['commands']) => Promise<T>): Promise<T> {
    return idempotently(this.#connection, what, call);
  }
}
