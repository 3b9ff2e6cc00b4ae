import type { DamagedStateError } from '@millrace/core';
import type { RedisConnection } from '@millrace/redis';
import { Router } from '../model/routing.js';
import { emptyTopology, type Topology } from '../model/topology.js';
import { topologyKeys } from '../store/keys.js';
import { commitTopology } from '../store/topology.js';
import { readTopology } from '../store/topology-reading.js';

/**
 * This process's copy of what is declared, prepared for routing. It may be stale: every script that acts on it gets the
 * version and is refused if there is another, and then the copy is read again.
 */
export class TopologyCache {
  readonly #connection: RedisConnection;
  #router: Router = new Router(emptyTopology);
  #isLoaded = false;
  #loading: Promise<Router> | undefined;
  /** Called whenever it was read: from then on there may be upkeep to do. */
  onLoaded: () => void = () => undefined;
  /** Called with objects that were read and are damaged. */
  onDamaged: (error: DamagedStateError) => void = () => undefined;
  /** Called when this process has changed what is declared. */
  onReplaced: () => void = () => undefined;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  /** The known topology; undefined before the first load. */
  get known(): Router | undefined {
    return this.#isLoaded ? this.#router : undefined;
  }

  /** Reads it again. A call while a read is under way waits for that read. */
  reload(): Promise<Router> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /** The topology as of `version`, just returned by a script (undefined: invalid): read only if it differs from the known one. */
  async asOf(version: number | undefined): Promise<Router> {
    return this.#isLoaded && this.#router.topology.version === version ? this.#router : this.reload();
  }

  /** For a script that found `version` where this process had sent another: the topology to use from now on. */
  async matching(version: number): Promise<Router> {
    if (this.#isLoaded && this.#router.topology.version === version) return this.#router;
    const router = await this.reload();
    // An invalid version has been replaced.
    if (!(router.topology.version < version)) return router;
    // A failover lost the topology's last changes, while the slot of some queue remembers them: make a newer version.
    const keys = topologyKeys(this.#connection.prefix);
    await commitTopology(this.#connection.commands, keys, router.topology.version, []);
    return this.reload();
  }

  /** Uses a topology that this process has just committed. */
  replace(topology: Topology): void {
    if (this.#isLoaded && topology.version <= this.#router.topology.version) return;
    this.#router = new Router(topology);
    this.#isLoaded = true;
    this.onReplaced();
  }

  async #load(): Promise<Router> {
    const known = this.#isLoaded ? this.#router.topology : undefined;
    const topology = await readTopology(this.#connection.commands, topologyKeys(this.#connection.prefix), known);
    // Any other version, not only a newer one: after a failover the present state counts, not the former one.
    if (!this.#isLoaded || topology.version !== this.#router.topology.version) this.#router = new Router(topology);
    this.#isLoaded = true;
    for (const error of topology.damaged?.values() ?? []) this.onDamaged(error);
    this.onLoaded();
    return this.#router;
  }
}
