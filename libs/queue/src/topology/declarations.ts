import {
  boolean,
  MillraceError,
  OptionsError,
  oneOf,
  resolveOptions,
  TopologyNotFoundError,
  WriteError,
} from '@millrace/core';
import { Cluster, type RedisConnection, redisFailure } from '@millrace/redis';
import { type BindingDeclaration, resolveBinding } from '../model/binding.js';
import { deadLetterTarget } from '../model/dead-letter.js';
import type { QueueSettings } from '../model/queue-settings.js';
import { slotsOf } from '../model/shards.js';
import { readStoredVersion } from '../model/stored-settings.js';
import { assertSound, type Topology, type TopologyEdit, withEdits } from '../model/topology.js';
import { editsToApply, type PlanStep, planTopology, type TopologyDefinition } from '../model/topology-plan.js';
import { isExchangeInUse, planRemoval, planUnbind } from '../model/topology-removal.js';
import { topologyKeys } from '../store/keys.js';
import { type RemoveConditions, type RemoveResult, removeQueue, tellVersion, writeQueue } from '../store/queue-slot.js';
import { commitTopology } from '../store/topology.js';
import { ownerOf } from './connection-owner.js';
import type { TopologyCache } from './topology-cache.js';

/** How to declare. */
export interface DeclareOptions {
  /** What to do with a declared object whose settings differ where they can be changed in use. Default `refuse`. */
  readonly onChange?: 'refuse' | 'apply' | undefined;
}

/** Another process may change the topology between our reading and writing it; one of them wins each time. */
const maxAttempts = 100;

/**
 * Changes what is declared: reads the topology, works the change out, and writes it if no other process wrote in between. A queue
 * is made in its own slot first, so that whatever routing finds declared is there.
 */
export class Declarations {
  readonly #connection: RedisConnection;
  readonly #cache: TopologyCache;
  /** Whose the exclusive queues are that are declared here. */
  readonly owner: string;

  readonly #timeoutMs: number;

  /** @param timeoutMs how long a change waits for Redis when it is away */
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
    let steps: PlanStep[] = [];
    const names = (definition.queues ?? []).map(({ name }) => name);
    const before = async (topology: Topology): Promise<TopologyEdit[]> => {
      steps = planTopology(topology, definition, this.owner);
      const edits = editsToApply(steps, onChange);
      const created = steps.filter(({ action, kind }) => action === 'create' && kind === 'queue');
      await this.#writeQueues(
        withEdits(topology, edits),
        created.map(({ name }) => name),
      );
      return edits;
    };
    const after = await this.#change(before);
    await this.#withRedis(() => this.#writeQueues(after, names));
    return steps;
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
    if (settings === undefined) return false;
    const removed = await this.#removeFromSlot(settings, topology.version, conditions);
    if (removed !== 'removed') {
      // One shard may have gone before another came into use.
      if (settings.shards !== undefined) await this.#writeQueues(topology, [name]);
      return false;
    }
    // It may be declared again by now, its slot first: that one is another queue, and stays.
    await this.#change(async (current) => {
      const isStillOurs = (await this.#removeFromSlot(settings, topology.version, {})) === 'removed';
      return isStillOurs ? planRemoval(current, 'queue', name) : [];
    });
    return true;
  }

  /** @throws {TopologyNotFoundError} it is not declared @throws {DamagedStateError} its settings cannot be used */
  async describeQueue(name: string): Promise<QueueSettings> {
    const topology = await this.#withRedis(() => this.#current());
    assertSound(topology, 'queue', name);
    const settings = topology.queues.get(name);
    if (settings === undefined) throw new TopologyNotFoundError('queue', name);
    return settings;
  }

  /** Where a queue's messages are; its own name when nothing is known of it. */
  async slots(name: string): Promise<readonly string[]> {
    const topology = await this.#current();
    assertSound(topology, 'queue', name);
    return slotsOf(topology.queues.get(name) ?? { name });
  }

  /** What is declared now: a queue that was known may have been deleted and declared again. */
  async #current(): Promise<Topology> {
    const { commands, prefix } = this.#connection;
    const version = await commands.hget(topologyKeys(prefix).meta, 'version');
    return (await this.#cache.asOf(readStoredVersion(version ?? '0'))).topology;
  }

  /** Whether a queue that does not exist is where another one's dead letters will go: it is made with the first of them. */
  async awaitsDeadLetters(name: string): Promise<boolean> {
    const { topology } = await this.#withRedis(() => this.#cache.reload());
    return [...topology.queues.values()].some((queue) => {
      const { exchange, routingKey } = deadLetterTarget(queue);
      return exchange === '' && routingKey === name && queue.name !== name;
    });
  }

  async #removing(plan: (topology: Topology) => TopologyEdit[]): Promise<boolean> {
    let isThere = false;
    await this.#change(async (topology) => {
      const edits = plan(topology);
      isThere = edits.length > 0;
      return edits;
    });
    return isThere;
  }

  #change(plan: (topology: Topology) => Promise<TopologyEdit[]>): Promise<Topology> {
    return this.#withRedis(() => this.#tryChange(plan));
  }

  async #tryChange(plan: (topology: Topology) => Promise<TopologyEdit[]>): Promise<Topology> {
    const keys = topologyKeys(this.#connection.prefix);
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const { topology } = await this.#cache.reload();
      const edits = await plan(topology);
      if (edits.length === 0) return topology;
      const version = await commitTopology(this.#connection.commands, keys, topology.version, edits);
      if (version === undefined) continue;
      const changed = withEdits(topology, edits, version);
      this.#cache.replace(changed);
      await this.#tellQueues(changed);
      return changed;
    }
    throw new OptionsError('topology', [`other processes changed it ${maxAttempts} times in a row: try again`]);
  }

  /** @throws {UnavailableError} Redis stays away @throws {WriteError} it went away meanwhile, or refuses */
  async #withRedis<T>(work: () => Promise<T>): Promise<T> {
    await this.#connection.whenReady(this.#timeoutMs);
    try {
      return await work();
    } catch (error) {
      if (error instanceof MillraceError) throw error;
      const { failure, mayBeWritten, description } = redisFailure(error);
      throw new WriteError(`topology: ${description}.`, { failure, mayBeWritten, cause: error });
    }
  }

  #removeFromSlot(queue: QueueSettings, version: number, conditions: RemoveConditions): Promise<RemoveResult> {
    return removeQueue(this.#connection.commands, this.#connection.prefix, queue, version, conditions);
  }

  async #writeQueues({ queues, version }: Topology, names: readonly string[]): Promise<void> {
    const { commands, prefix } = this.#connection;
    const settings = names.flatMap((name) => queues.get(name) ?? []);
    await Promise.all(settings.map((queue) => writeQueue(commands, prefix, queue, version)));
  }

  /** In a cluster a publisher's script cannot look at the topology: it looks at its queue's slot, where it is written here. */
  async #tellQueues({ queues, version }: Topology): Promise<void> {
    const { commands, prefix } = this.#connection;
    if (!(commands instanceof Cluster)) return;
    await Promise.all([...queues.values()].map((queue) => tellVersion(commands, prefix, queue, version)));
  }
}
