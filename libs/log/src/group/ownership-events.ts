import type { PartitionWorker } from '../partition/partition-worker.js';
import type { ConsumerHost } from './consumer-host.js';
import type { ConsumerSurroundings } from './consumer-surroundings.js';
import type { Ownership, OwnershipListener } from './ownership.js';
import type { Pauses } from './pauses.js';

/** What happens to a consumer's partitions: tells the dispatcher, the reader, and who listens. */
export class OwnershipEvents
  implements Pick<OwnershipListener, 'assigned' | 'revoked' | 'lost' | 'rolledBack' | 'truncated'>
{
  readonly #surroundings: ConsumerSurroundings;
  readonly #host: ConsumerHost;
  readonly #pauses: Pauses;
  readonly #ownership: () => Ownership;

  constructor(surroundings: ConsumerSurroundings, host: ConsumerHost, pauses: Pauses, ownership: () => Ownership) {
    this.#surroundings = surroundings;
    this.#host = host;
    this.#pauses = pauses;
    this.#ownership = ownership;
  }

  assigned(worker: PartitionWorker): void {
    const { topic, partition, group, epoch } = worker;
    if (this.#pauses.has(worker)) worker.pause();
    this.#host.dispatcher.add(worker);
    this.#host.fetchSoon();
    this.#surroundings.events.emit('partition-assigned', { topic, partition, group, epoch });
  }

  revoked(worker: PartitionWorker): void {
    const { topic, partition, group, epoch } = worker;
    this.#host.dispatcher.remove(worker);
    this.#surroundings.events.emit('partition-revoked', { topic, partition, group, epoch });
  }

  /** Another member has the partition, or Redis forgot what it was told: nothing more may be effected. */
  lost(worker: PartitionWorker): void {
    if (worker.isClosed) return;
    this.#drop(worker);
    this.#tellLost(worker);
  }

  /** Begins again from what Redis has now, and finds out whether it lost records as well. */
  rolledBack(worker: PartitionWorker): void {
    if (worker.isClosed) return;
    this.#drop(worker);
    worker.anchor.lostTail(this.#surroundings.connection.commands, worker.place).then(
      (end) => {
        if (end === undefined) this.#tellLost(worker);
        else this.#tellTruncated(worker, end);
      },
      () => this.#tellLost(worker),
    );
  }

  /** What was read is not in the log any more: goes on from what is committed, or from the end. */
  truncated(worker: PartitionWorker, end: number): void {
    if (worker.isClosed) return;
    this.#drop(worker);
    this.#tellTruncated(worker, end);
  }

  /** Redis is another server now, or has restarted: was anything lost that was read already? */
  async verifyAll(): Promise<void> {
    const { commands } = this.#surroundings.connection;
    for (const worker of [...this.#ownership().workers]) {
      try {
        const end = await worker.anchor.lostTail(commands, worker.place);
        if (end !== undefined) this.truncated(worker, end);
      } catch (error) {
        this.#host.onError(`compare topic "${worker.topic}", partition ${worker.partition}`, error);
      }
    }
  }

  /** Pauses and resumes what was told to be. */
  applyPauses(): void {
    for (const worker of this.#ownership().workers) {
      if (this.#pauses.has(worker)) worker.pause();
      else worker.resume();
    }
  }

  #tellLost({ topic, partition, group, epoch }: PartitionWorker): void {
    this.#surroundings.events.emit('lease-lost', { source: `topic:${topic}`, group, partition, epoch });
  }

  #tellTruncated({ topic, partition, group, position: from, offsets }: PartitionWorker, end: number): void {
    const to = Math.min(end, offsets.confirmed);
    this.#surroundings.events.emit('offset-out-of-range', { topic, partition, group, from, to, why: 'log-truncated' });
  }

  #drop(worker: PartitionWorker): void {
    this.#host.dispatcher.remove(worker);
    this.#ownership().drop(worker);
  }
}
