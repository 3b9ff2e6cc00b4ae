import { idempotently } from '../idempotent-call.js';
import type { PartitionWorker } from '../partition/partition-worker.js';
import type { ConsumerDependencies } from './consumer-dependencies.js';
import type { Fetcher } from './fetcher.js';
import type { GroupWorkerContext } from './group-worker-context.js';
import { offsetAfterTruncation } from './log-truncation.js';
import type { Ownership, OwnershipListener } from './ownership.js';
import type { Pauses } from './pauses.js';

/** What happens to a consumer's partitions: informs the dispatcher and the reader, and emits events. */
export class OwnershipEvents implements Pick<OwnershipListener, 'assigned' | 'revoked' | 'diverged'> {
  readonly #dependencies: ConsumerDependencies;
  readonly #context: GroupWorkerContext;
  readonly #pauses: Pauses;
  readonly #ownership: () => Ownership;
  readonly #fetcher: () => Fetcher;

  constructor(
    dependencies: ConsumerDependencies,
    context: GroupWorkerContext,
    pauses: Pauses,
    { ownership, fetcher }: { readonly ownership: () => Ownership; readonly fetcher: () => Fetcher },
  ) {
    this.#dependencies = dependencies;
    this.#context = context;
    this.#pauses = pauses;
    this.#ownership = ownership;
    this.#fetcher = fetcher;
  }

  assigned(worker: PartitionWorker): void {
    const { topic, partition, group, epoch } = worker;
    if (this.#pauses.has(worker)) worker.holds.put('paused');
    this.#context.dispatcher.wake(worker);
    this.#context.fetchSoon();
    this.#dependencies.events.emit('partition-assigned', { topic, partition, group, epoch });
  }

  revoked(worker: PartitionWorker): void {
    const { topic, partition, group, epoch } = worker;
    this.#context.dispatcher.remove(worker);
    this.#dependencies.events.emit('partition-revoked', { topic, partition, group, epoch });
  }

  /**
   * Another member has the partition, or Redis is not where the worker is: it lost a commit, or truncated the log.
   * The worker may change nothing more; the next worker starts from what Redis has now.
   */
  diverged(worker: PartitionWorker): void {
    if (worker.isClosed) return;
    worker.lease.lose();
    worker.close();
    this.#context.dispatcher.remove(worker);
    // The reader's connection may still lead to a server that was replaced.
    this.#fetcher().reconnect();
    void this.#emitWhy(worker).finally(() => this.#ownership().drop(worker));
  }

  /** Redis is another server, or has restarted: checks whether it lost anything that was read already. */
  async verifyAll(): Promise<void> {
    for (const worker of [...this.#ownership().workers]) {
      try {
        if ((await this.#offsetAfterTruncation(worker)) !== undefined) this.diverged(worker);
      } catch (error) {
        this.#context.onError(`compare topic "${worker.topic}", partition ${worker.partition}`, error);
      }
    }
  }

  /** Applies the pauses that were requested. Resolves when no handler runs in what is paused. */
  async applyPauses(): Promise<void> {
    const paused: Promise<void>[] = [];
    for (const worker of this.#ownership().workers) {
      if (this.#pauses.has(worker)) {
        worker.holds.put('paused');
        paused.push(worker.idle());
      } else worker.holds.lift('paused');
    }
    await Promise.all(paused);
  }

  /** Reports what was lost, before the partition is taken again. */
  async #emitWhy(worker: PartitionWorker): Promise<void> {
    const { events } = this.#dependencies;
    const { topic, partition, group, epoch, position: from } = worker;
    const to = await this.#offsetAfterTruncation(worker).catch(() => undefined);
    if (to === undefined) events.emit('lease-lost', { source: `topic:${topic}`, group, partition, epoch });
    else events.emit('offset-out-of-range', { topic, partition, group, from, to, why: 'log-truncated' });
  }

  #offsetAfterTruncation(worker: PartitionWorker): Promise<number | undefined> {
    const what = `compare topic "${worker.topic}", partition ${worker.partition}`;
    return idempotently(this.#dependencies.connection, what, (client) =>
      offsetAfterTruncation(client, worker.lease, worker.anchor),
    );
  }
}
