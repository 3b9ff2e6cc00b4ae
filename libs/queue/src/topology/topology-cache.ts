import type { DamagedStateError } from '@millrace/core';
import type { RedisConnection } from '@millrace/redis';
import { Router } from '../model/routing.js';
import { emptyTopology, type Topology } from '../model/topology.js';
import { topologyKeys } from '../store/keys.js';
import { commitTopology } from '../store/topology.js';
import { readTopology } from '../store/topology-reading.js';

/**
 * This process's copy of what is declared, ready for routing. It may be old: every script that acts on it carries the
 * version and is refused when another is there, and then the copy is read again.
 */
export class TopologyCache {
  readonly #connection: RedisConnection;
  #router: Router = new Router(emptyTopology);
  #isLoaded = false;
  #loading: Promise<Router> | undefined;
  /** Called whenever it was read: from then on there may be something to look after. */
  onLoaded: () => void = () => undefined;
  /** Called with what was read and cannot be used. */
  onDamaged: (error: DamagedStateError) => void = () => undefined;
  /** Called when this process has changed what is declared. */
  onReplaced: () => void = () => undefined;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  /** What is known; undefined before the first load. */
  get known(): Router | undefined {
    return this.#isLoaded ? this.#router : undefined;
  }

  /** Reads it again. A call while a read is under way waits for that one. */
  reload(): Promise<Router> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /** What is declared as of `version`, which a script has just returned (undefined: none that can be used): read only when it is another than what is known. */
  async asOf(version: number | undefined): Promise<Router> {
    return this.#isLoaded && this.#router.topology.version === version ? this.#router : this.reload();
  }

  /** What a script meant that found `version` where this process had sent another. */
  async matching(version: number): Promise<Router> {
    if (this.#isLoaded && this.#router.topology.version === version) return this.#router;
    const router = await this.reload();
    // Of a version that was none there is a good one now.
    if (!(router.topology.version < version)) return router;
    // A failover lost the topology's last changes, while the slot of some queue remembers them: go past them.
    const keys = topologyKeys(this.#connection.prefix);
    await commitTopology(this.#connection.commands, keys, router.topology.version, []);
    return this.reload();
  }

  /** Takes over a topology that this process has just committed. */
  replace(topology: Topology): void {
    if (this.#isLoaded && topology.version <= this.#router.topology.version) return;
    this.#router = new Router(topology);
    this.#isLoaded = true;
    this.onReplaced();
  }

  async #load(): Promise<Router> {
    const known = this.#isLoaded ? this.#router.topology : undefined;
    const topology = await readTopology(this.#connection.commands, topologyKeys(this.#connection.prefix), known);
    // Another version, not only a newer one: after a failover what is there counts, not what was there.
    if (!this.#isLoaded || topology.version !== this.#router.topology.version) this.#router = new Router(topology);
    this.#isLoaded = true;
    for (const error of topology.damaged?.values() ?? []) this.onDamaged(error);
    this.onLoaded();
    return this.#router;
  }
}
