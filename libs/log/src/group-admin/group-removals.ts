import { assertName, assertNoProblem, integerProblem, OptionsError } from '@millrace/core';
import type { RedisConnection } from '@millrace/redis';
import { idempotently } from '../idempotent-call.js';
import { parseSubscription, topicsTaken } from '../model/subscription.js';
import { deadLetterTopics } from '../model/topic.js';
import { isGroupOver } from '../store/group-expiry.js';
import { forgetGroupOffset } from '../store/group-offsets.js';
import { groupKeys, groupsKey } from '../store/keys.js';
import { liveSubscriptions, removeAnyMember } from '../store/stored-group.js';
import type { Topics } from '../topics/topics.js';
import { groupIsActive, whileLocked } from './group-lock.js';

/** Removes what is no longer needed of a group: all of it, its offsets in a topic, or a member. */
export class GroupRemovals {
  readonly #connection: RedisConnection;
  readonly #topics: Topics;

  constructor(connection: RedisConnection, topics: Topics) {
    this.#connection = connection;
    this.#topics = topics;
  }

  /** Resolves to false when there was none. @throws {OptionsError} it is active */
  async delete(group: string): Promise<boolean> {
    assertName('group', group);
    return whileLocked(this.#connection, group, async () => {
      for (const { name: topic, partitions } of await this.#topics.list()) await this.#forget(group, topic, partitions);
      const { prefix } = this.#connection;
      const { members, subscriptions, presence, state } = groupKeys(prefix, group);
      const what = `delete group "${group}"`;
      await this.#ask(what, (client) => client.unlink(members, subscriptions, presence, state));
      return (await this.#ask(what, (client) => client.srem(groupsKey(prefix), group))) === 1;
    });
  }

  /** @throws {OptionsError} a member reads the topic */
  async deleteOffsets(group: string, topic: string): Promise<void> {
    assertName('group', group);
    const { partitions } = await this.#topics.describe(topic);
    const subscriptions = await this.#subscriptions(group);
    if (subscriptions.size === 0) {
      await whileLocked(this.#connection, group, () => this.#forget(group, topic, partitions));
      return;
    }
    const deadLetters = deadLetterTopics(await this.#topics.list());
    for (const [memberId, json] of subscriptions) {
      const subscription = parseSubscription(json);
      if (subscription === undefined || topicsTaken(subscription, [topic], deadLetters).length === 0) continue;
      const why = `it reads topic "${topic}": member "${memberId}" subscribed to it. Stop it, or start it without the topic`;
      throw new OptionsError(`group "${group}"`, [why]);
    }
    await this.#forget(group, topic, partitions);
  }

  /** Resolves to false when the group has no such member. */
  async removeMember(group: string, memberId: string): Promise<boolean> {
    assertName('group', group);
    assertName('member', memberId);
    const keys = groupKeys(this.#connection.prefix, group);
    return this.#ask(`remove a member of group "${group}"`, (client) => removeAnyMember(client, keys, memberId));
  }

  /** Deletes a group that has had no member for `retentionMs`. Resolves to whether it did. */
  async expire(group: string, retentionMs: number): Promise<boolean> {
    assertName('group', group);
    assertNoProblem(`group "${group}"`, integerProblem('retentionMs', retentionMs));
    const keys = groupKeys(this.#connection.prefix, group);
    if (!(await this.#ask(`look at group "${group}"`, (client) => isGroupOver(client, keys, retentionMs))))
      return false;
    try {
      return await this.delete(group);
    } catch (error) {
      // A member joined, or an operator holds the lock.
      if (error instanceof OptionsError) return false;
      throw error;
    }
  }

  #subscriptions(group: string): Promise<Map<string, string>> {
    const keys = groupKeys(this.#connection.prefix, group);
    return this.#ask(`look at group "${group}"`, (client) => liveSubscriptions(client, keys));
  }

  async #forget(group: string, topic: string, partitions: number): Promise<void> {
    const what = `forget group "${group}" in topic "${topic}"`;
    for (let partition = 0; partition < partitions; partition++) {
      const place = { prefix: this.#connection.prefix, group, topic, partition };
      if (!(await this.#ask(what, (client) => forgetGroupOffset(client, place)))) throw groupIsActive(group);
    }
  }

  #ask<T>(what: string, call: (client: RedisConnection['commands']) => Promise<T>): Promise<T> {
    return idempotently(this.#connection, what, call);
  }
}
