import {
  boolean,
  MillraceError,
  OptionsError,
  oneOf,
  resolveOptions,
  TopologyNotFoundError,
  WriteError,
} from '@millrace/core';
import { Cluster, type RedisConnection, reach, redisFailure } from '@millrace/redis';
import { type BindingDeclaration, resolveBinding } from '../model/binding.js';
import { deadLetterTarget } from '../model/dead-letter.js';
import type { QueueSettings } from '../model/queue-settings.js';
import { slotsOf } from '../model/shards.js';
import { readStoredVersion } from '../model/stored-settings.js';
import { assertSound, leftovers, type Topology, type TopologyEdit, withEdits } from '../model/topology.js';
import {
  editsToApply,
  type PlanStep,
  planRevival,
  planTopology,
  type TopologyDefinition,
} from '../model/topology-plan.js';
import { isExchangeInUse, planRemoval, planUnbind } from '../model/topology-removal.js';
import { topologyKeys } from '../store/keys.js';
import { type RemoveConditions, type RemoveResult, removeQueue, setVersion, writeQueue } from '../store/queue-slot.js';
import { commitTopology, maxEditsPerCommit } from '../store/topology.js';
import { ownerOf } from './connection-owner.js';
import type { TopologyCache } from './topology-cache.js';

/** Options of a declaration. */
export interface DeclareOptions {
  /** What to do with a declared object whose settings differ, if they can be changed in use. Default `refuse`. */
  readonly onChange?: 'refuse' | 'apply' | undefined;
}

/** Another process may change the topology between reading and writing it; one of them wins each time. */
const maxAttempts = 100;

/**
 * Computes a change of what is declared.
 *
 * @param done how many edits of an earlier computation are committed, which changes of other processes interrupted
 */
type Plan = (topology: Topology, done: number) => Promise<TopologyEdit[]>;

/**
 * Changes what is declared: reads the topology, computes the change, and writes it if no other process wrote in between. A queue
 * is created in its slot first, so that everything that routing finds declared exists.
 */
export class Declarations {
  readonly #connection: RedisConnection;
  readonly #cache: TopologyCache;
  /** The owner of exclusive queues that are declared here. */
  readonly owner: string;

  readonly #timeoutMs: number;

  /** @param timeoutMs how long a change waits for Redis when it is unreachable */
  constructor(connection: RedisConnection, cache: TopologyCache, timeoutMs: number) {
    this.#connection = connection;
    this.#cache = cache;
    this.owner = ownerOf(connection);
    this.#timeoutMs = timeoutMs;
  }

  /** What declaring would do. Nothing is changed. */
  plan(definition: TopologyDefinition): Promise<PlanStep[]> {
    return this.#withRedis(async () => planTopology((await this.#cache.reload()).topology, definition, this.owner));
  }

  /** Resolves to what was done. */
  async declare(definition: TopologyDefinition, options: DeclareOptions = {}): Promise<PlanStep[]> {
    const { onChange } = resolveOptions('declare', { onChange: oneOf(['refuse', 'apply'], 'refuse') }, options);
    let [steps, stepsFrom]: [PlanStep[], number] = [[], 0];
    const committed: PlanStep[] = [];
    const names = (definition.queues ?? []).map(({ name }) => name);
    const before = async (topology: Topology, done: number): Promise<TopologyEdit[]> => {
      committed.push(...steps.slice(0, Math.max(0, done - stepsFrom)));
      steps = planTopology(topology, definition, this.owner);
      const edits = editsToApply(steps, onChange);
      const created = steps.filter(({ action, kind }) => action === 'create' && kind === 'queue');
      await this.#writeQueues(
        withEdits(topology, edits),
        created.map(({ name }) => name),
      );
      const first = planRevival(topology, edits);
      stepsFrom = done + first.length;
      return [...first, ...edits];
    };
    const after = await this.#change(before);
    await this.#withRedis(() => this.#writeQueues(after, names));
    return [...committed, ...steps];
  }

  async unbind(declaration: BindingDeclaration): Promise<boolean> {
    const binding = resolveBinding(declaration);
    return this.#removing((topology) => planUnbind(topology, binding));
  }

  async deleteExchange(name: string, conditions: Pick<RemoveConditions, 'ifUnused'> = {}): Promise<boolean> {
    const { ifUnused } = resolveOptions(`delete exchange "${name}"`, { ifUnused: boolean(false) }, conditions);
    return this.#removing((topology) => {
      if (ifUnused && isExchangeInUse(topology, name)) return [];
      return planRemoval(topology, 'exchange', name);
    });
  }

  /** Resolves to false when there is no such queue, or a condition does not hold: then nothing was done. */
  async deleteQueue(name: string, conditions: RemoveConditions = {}): Promise<boolean> {
    const readers = { ifUnused: boolean(false), ifEmpty: boolean(false), ifIdle: boolean(false) };
    const resolved = resolveOptions<RemoveConditions>(`delete queue "${name}"`, readers, conditions);
    return this.#withRedis(() => this.#deleteQueue(name, resolved));
  }

  async #deleteQueue(name: string, conditions: RemoveConditions): Promise<boolean> {
    const { topology } = await this.#cache.reload();
    assertSound(topology, 'queue', name);
    const settings = topology.queues.get(name);
    if (settings === undefined) return this.#removing((current) => leftovers(current, 'queue', name));
    const removed = await this.#removeFromSlot(settings, topology.version, conditions);
    if (removed !== 'removed') {
      // One shard may have been removed before another came into use.
      if (settings.shards !== undefined) await this.#writeQueues(topology, [name]);
      return false;
    }
    // It may have been declared again, its slot first: that one is another queue, and stays.
    await this.#change(async (current, done) => {
      if (done > 0) return leftovers(current);
      const isStillOurs = (await this.#removeFromSlot(settings, topology.version, {})) === 'removed';
      return isStillOurs ? planRemoval(current, 'queue', name) : [];
    });
    return true;
  }

  /** @throws {TopologyNotFoundError} it is not declared @throws {DamagedStateError} its settings are damaged */
  async describeQueue(name: string): Promise<QueueSettings> {
    const topology = await this.#withRedis(() => this.#current());
    assertSound(topology, 'queue', name);
    const settings = topology.queues.get(name);
    if (settings === undefined) throw new TopologyNotFoundError('queue', name);
    return settings;
  }

  /** Where a queue's messages are; its own name when the queue is unknown. */
  async slots(name: string): Promise<readonly string[]> {
    const topology = await this.#current();
    assertSound(topology, 'queue', name);
    return slotsOf(topology.queues.get(name) ?? { name });
  }

  /** What is declared now: a known queue may have been deleted and declared again. */
  async #current(): Promise<Topology> {
    const { commands, prefix } = this.#connection;
    const version = await commands.hget(topologyKeys(prefix).meta, 'version');
    return (await this.#cache.asOf(readStoredVersion(version ?? '0'))).topology;
  }

  /** Whether a queue does not exist yet because the first dead letter of another queue creates it. */
  async awaitsDeadLetters(name: string): Promise<boolean> {
    const { topology } = await this.#withRedis(() => this.#cache.reload());
    return [...topology.queues.values()].some((queue) => {
      const { exchange, routingKey } = deadLetterTarget(queue);
      return exchange === '' && routingKey === name && queue.name !== name;
    });
  }

  async #removing(plan: (topology: Topology) => TopologyEdit[]): Promise<boolean> {
    let isThere = false;
    await this.#change(async (topology, done) => {
      // A removed object may have been declared again: then it stays.
      const edits = done > 0 ? leftovers(topology) : plan(topology);
      isThere ||= edits.length > 0;
      return edits;
    });
    return isThere;
  }

  /** Removes bindings that miss an end, left by an interrupted removal. */
  async removeLeftovers(): Promise<void> {
    await this.#removing((topology) => leftovers(topology));
  }

  #change(plan: Plan): Promise<Topology> {
    return this.#withRedis(() => this.#tryChange(plan));
  }

  async #tryChange(plan: Plan): Promise<Topology> {
    let [attempt, done] = [0, 0];
    while (attempt++ < maxAttempts) {
      const { topology } = await this.#cache.reload();
      const edits = await plan(topology, done);
      const committed = await this.#commit(topology.version, edits);
      done += committed.count;
      if (committed.count > 0) attempt = 0;
      if (committed.count < edits.length) continue;
      if (done === 0) return topology;
      const changed = withEdits(topology, edits, committed.version);
      this.#cache.replace(changed);
      await this.#writeVersions(changed);
      return changed;
    }
    throw new OptionsError('topology', [`other processes changed it ${maxAttempts} times in a row: try again`]);
  }

  /** Commits edits in order, as many per call as are allowed. Ends before the first that another change preceded. */
  async #commit(since: number, edits: readonly TopologyEdit[]): Promise<{ count: number; version: number }> {
    const { commands, prefix } = this.#connection;
    let [count, version] = [0, since];
    while (count < edits.length) {
      const piece = edits.slice(count, count + maxEditsPerCommit);
      const committed = await commitTopology(commands, topologyKeys(prefix), version, piece);
      if (committed === undefined) break;
      [count, version] = [count + piece.length, committed];
    }
    return { count, version };
  }

  /** @throws {UnavailableError} Redis stays unreachable @throws {WriteError} the connection was lost meanwhile, or Redis refuses */
  #withRedis<T>(work: () => Promise<T>): Promise<T> {
    return reach(this.#connection, { what: 'reach the topology', timeoutMs: this.#timeoutMs }, async () => {
      try {
        return await work();
      } catch (error) {
        if (error instanceof MillraceError) throw error;
        const { failure, mayBeWritten, description } = redisFailure(error);
        throw new WriteError(`topology: ${description}.`, { failure, mayBeWritten, cause: error });
      }
    });
  }

  #removeFromSlot(queue: QueueSettings, version: number, conditions: RemoveConditions): Promise<RemoveResult> {
    return removeQueue(this.#connection.commands, this.#connection.prefix, queue, version, conditions);
  }

  async #writeQueues({ queues, version }: Topology, names: readonly string[]): Promise<void> {
    const { commands, prefix } = this.#connection;
    const settings = names.flatMap((name) => queues.get(name) ?? []);
    await Promise.all(settings.map((queue) => writeQueue(commands, prefix, queue, version)));
  }

  /** In a cluster a publisher's script cannot read the topology's version: it reads it in its queue's slot, where this writes it. */
  async #writeVersions({ queues, version }: Topology): Promise<void> {
    const { commands, prefix } = this.#connection;
    if (!(commands instanceof Cluster)) return;
    await Promise.all([...queues.values()].map((queue) => setVersion(commands, prefix, queue, version)));
  }
}
