import { randomUUID } from 'node:crypto';
import { pause, UnavailableError } from '@millrace/core';
import type { RedisConnection } from '@millrace/redis';
import { emptyPlan, encodePlan, type GroupPlan, nextPlan, parsePlan, plannedTopics } from '../model/group-plan.js';
import { parseSubscription, type Subscription } from '../model/subscription.js';
import { deadLetterTopics } from '../model/topic.js';
import { compareNames } from '../model/topic-partition.js';
import { type GroupKeys, groupKeys, groupsKey } from '../store/keys.js';
import {
  type GroupView,
  isMember,
  joinGroup,
  type MemberEntry,
  removeMember,
  sendHeartbeat,
} from '../store/members.js';
import { proposePlan } from '../store/plan.js';
import { ownPresence, type Presence } from '../store/presence.js';
import { nameGroup } from '../store/stored-group.js';
import { allTopics } from '../store/topics.js';
import { GoneTopics } from './gone-topics.js';
import type { MembershipConfig } from './membership-config.js';
import { PeerWatch } from './peer-watch.js';

/** The events of a membership. */
export interface MembershipListener {
  /** There is a plan that this member does not know yet. */
  planned(plan: GroupPlan): void;
  /** Another process took over this member id: stop. */
  replaced(): void;
  /** The connection leads to another server, or to the same one after a restart: its data may have gone back. */
  serverChanged(): void;
  /** The group no longer knew this member: its session ended, the others removed it, or Redis lost it. It joined again. */
  forgotten(): void;
  /** The stored settings of a topic cannot be read, or a topic that it had does not exist any more. */
  failed(error: unknown): void;
}

/** How long, per attempt and in all, a member waits for an operator who has locked the group. */
const lockedRestMs = 100;
/** How many times in a row a heartbeat is repeated without a rest. */
const mostImmediateBeats = 5;

/** One member's part in its group: sends heartbeats, sees the other members, and keeps the plan up to date with them. */
export class Membership {
  readonly memberId: string;
  /** Names this process in leases. */
  readonly owner: string;
  readonly #connection: RedisConnection;
  readonly #config: MembershipConfig;
  readonly #listener: MembershipListener;
  readonly #keys: GroupKeys;
  readonly #incarnation = randomUUID().slice(0, 13);
  readonly #peers: PeerWatch;
  readonly #gone: GoneTopics;
  #presence: Presence | undefined;
  #known = { version: -1, generation: -1 };
  #members: NonNullable<GroupView['members']> = new Map();
  #plan = emptyPlan;
  #topicsReadAt = 0;
  /** How many times in a row the next heartbeat was due immediately. */
  #immediateBeats = 0;

  constructor(connection: RedisConnection, config: MembershipConfig, listener: MembershipListener) {
    this.#connection = connection;
    this.#config = config;
    this.#listener = listener;
    this.memberId = config.memberId;
    this.owner = `${config.memberId} ${this.#incarnation}`;
    this.#keys = groupKeys(connection.prefix, config.group);
    this.#peers = new PeerWatch(connection, this.#keys, config.memberId);
    this.#gone = new GoneTopics(config.subscription);
  }

  get plan(): GroupPlan {
    return this.#plan;
  }

  /** Joins, and waits for a plan that includes this member. @throws {UnavailableError} */
  async join(): Promise<void> {
    await this.#enter();
    while (!this.#plan.members.has(this.memberId)) {
      const restMs = await this.beat();
      if (!this.#plan.members.has(this.memberId)) await pause(Math.min(restMs, lockedRestMs));
    }
  }

  /** One heartbeat. Resolves to the milliseconds until the next is due. */
  async beat(): Promise<number> {
    const presence = await this.#ownPresence();
    const reply = await sendHeartbeat(this.#connection.commands, this.#keys, this.#entry(presence), this.#known);
    if (reply.kind === 'replaced') {
      this.#listener.replaced();
      return this.#config.heartbeatMs;
    }
    if (reply.kind === 'expired') {
      await this.#enter();
      this.#listener.forgotten();
      return this.#soon();
    }
    this.#learn(reply.view);
    if (this.#needsPlan() && !(await this.#replan())) return this.#soon();
    this.#immediateBeats = 0;
    for (const error of this.#gone.report(this.#plan)) this.#listener.failed(error);
    const gone = await this.#peers.look(presence, this.#members);
    if (gone === 'removed') return 0;
    return gone === 'suspected' ? Math.min(200, this.#config.heartbeatMs) : this.#config.heartbeatMs;
  }

  /** Other members may change the group meanwhile, several times in a row; but damaged data in Redis must not cause a busy loop. */
  #soon(): number {
    const n = this.#immediateBeats++;
    return n < mostImmediateBeats ? 0 : Math.min(10 * 2 ** (n - mostImmediateBeats), this.#config.heartbeatMs);
  }

  /** The connection is back: it may be a new one, to another server. */
  forgetConnection(): void {
    this.#presence = undefined;
  }

  /** Whether the process with this name in a lease is in the group at present. */
  async isLive(owner: string): Promise<boolean> {
    const space = owner.lastIndexOf(' ');
    const member = { memberId: owner.slice(0, space), incarnation: owner.slice(space + 1) };
    return isMember(this.#connection.commands, this.#keys, member);
  }

  /** Leaves the group, so that the others need not wait. A static member stays: it is expected back. */
  async leave(): Promise<void> {
    if (this.#config.isStatic) return;
    await removeMember(this.#connection.commands, this.#keys, {
      memberId: this.memberId,
      incarnation: this.#incarnation,
    });
  }

  async #enter(): Promise<void> {
    const { commands, prefix } = this.#connection;
    const deadline = performance.now() + this.#connection.options.connectTimeoutMs;
    while (!(await joinGroup(commands, this.#keys, this.#entry(await this.#ownPresence())))) {
      if (performance.now() > deadline) {
        throw new UnavailableError(`group "${this.#config.group}" is locked: an operator changes its offsets.`);
      }
      await pause(lockedRestMs);
    }
    // Not earlier: when an operator deletes the group meanwhile, its name is gone from the list of groups, and its member too.
    await nameGroup(commands, groupsKey(prefix), this.#config.group);
    this.#known = { version: -1, generation: -1 };
  }

  #entry(presence: Presence): MemberEntry {
    return {
      memberId: this.memberId,
      incarnation: this.#incarnation,
      subscription: JSON.stringify(this.#config.subscription),
      presence: JSON.stringify(this.#config.isStatic ? {} : presence),
      sessionMs: this.#config.sessionMs,
    };
  }

  async #ownPresence(): Promise<Presence> {
    if (this.#presence !== undefined) return this.#presence;
    const presence = await ownPresence(this.#connection.commands);
    const servers = Object.keys(presence).sort().join();
    if (this.#servers !== undefined && this.#servers !== servers) this.#listener.serverChanged();
    this.#servers = servers;
    this.#presence = presence;
    return presence;
  }
  #servers: string | undefined;

  #learn(view: GroupView): void {
    if (view.members !== undefined) this.#members = view.members;
    const isNew = view.generation !== this.#known.generation;
    this.#known = { version: view.version, generation: view.generation };
    if (!isNew) return;
    this.#plan = view.plan === undefined ? emptyPlan : parsePlan(view.plan);
    this.#listener.planned(this.#plan);
  }

  /** When the members differ from those in the plan, or, for the first by name, when it is time to look for new partitions. */
  #needsPlan(): boolean {
    if (this.#plan.members.size !== this.#members.size) return true;
    for (const [id, { subscription }] of this.#members) if (this.#plan.members.get(id) !== subscription) return true;
    const [first] = [...this.#members.keys()].sort(compareNames);
    return first === this.memberId && performance.now() - this.#topicsReadAt >= this.#config.topicRefreshMs;
  }

  /** False when another member was faster. */
  async #replan(): Promise<boolean> {
    const { commands, prefix } = this.#connection;
    const topics = await allTopics(commands, prefix, (error) => this.#listener.failed(error));
    this.#topicsReadAt = performance.now();
    const known = new Map(topics.map((topic) => [topic.name, topic]));
    const subscriptions = new Map<string, Subscription>();
    for (const [id, { subscription }] of this.#members) {
      // A member with an invalid subscription gets nothing, and does not block the others.
      const parsed = parseSubscription(subscription) ?? { kind: 'topics', topics: [] };
      subscriptions.set(id, parsed);
    }
    const dead = deadLetterTopics(topics);
    const planned = plannedTopics(this.#plan, subscriptions.values(), known, dead);
    const plan = nextPlan(this.#plan, subscriptions, planned, dead);
    if (plan === this.#plan) return true;
    const generation = await proposePlan(commands, this.#keys, this.#known, encodePlan(plan));
    if (generation === undefined) return false;
    this.#known = { version: this.#known.version, generation };
    this.#plan = plan;
    this.#listener.planned(plan);
    return true;
  }
}
