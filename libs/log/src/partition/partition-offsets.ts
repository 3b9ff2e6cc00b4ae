import { LeaseLostError } from '@millrace/core';
import type { RedisClient } from '@millrace/redis';
import { Frontier } from '../model/frontier.js';
import { encodeProgress, type Progress } from '../model/progress.js';
import { type Anchor, type CommitReply, commitOffset } from '../store/commit.js';
import type { HeldLease } from './held-lease.js';

/** Space for what is done beyond the frontier: enough for a bitmap over the default `maxUncommittedRecords`. */
const maxProgressBytes = 16 * 1024;
const nothing = Buffer.alloc(0);

/** The result of a commit: `lost` covers every reason for which Redis refuses it. */
export type CommitResult = 'committed' | 'lost';

/** Tracks how far one partition is done, and commits it. */
export class PartitionOffsets {
  readonly #lease: HeldLease;
  readonly #client: () => RedisClient;
  readonly #anchor: () => Anchor | undefined;
  readonly #onChange: () => void;
  readonly #onCommit: (result: CommitReply['kind'], offset: number) => void;
  #frontier: Frontier;
  #attempts: Map<number, number>;
  #returns: Map<number, number>;
  #confirmed: number;
  #isDirty = false;
  #committing: Promise<CommitResult> | undefined;
  #flushing: Promise<void> | undefined;
  /** The offset that a seek has set, until the worker moves there. */
  #sought: number | undefined;

  constructor(
    lease: HeldLease,
    start: { readonly committed: number; readonly progress: Progress },
    use: {
      readonly client: () => RedisClient;
      /** Up to where the log was read. */
      readonly anchor: () => Anchor | undefined;
      readonly onChange: () => void;
      readonly onCommit: (result: CommitReply['kind'], offset: number) => void;
    },
  ) {
    this.#lease = lease;
    this.#client = use.client;
    this.#anchor = use.anchor;
    this.#onChange = use.onChange;
    this.#onCommit = use.onCommit;
    this.#confirmed = start.committed;
    this.#frontier = new Frontier(start.committed);
    for (const { start: first, length } of start.progress.done) {
      for (let offset = first; offset < first + length; offset++) this.#frontier.complete(offset);
    }
    this.#attempts = new Map(start.progress.attempts);
    this.#returns = new Map(start.progress.returns);
  }

  /** Everything below this offset is done. */
  get frontier(): number {
    return this.#frontier.offset;
  }

  /** The offset that Redis has confirmed. */
  get confirmed(): number {
    return this.#confirmed;
  }

  get isDirty(): boolean {
    return this.#isDirty;
  }

  isDone(offset: number): boolean {
    return this.#frontier.isDone(offset);
  }

  /** How many times the record at `offset` has failed. */
  attemptsOf(offset: number): number {
    return this.#attempts.size === 0 ? 0 : (this.#attempts.get(offset) ?? 0);
  }

  /** How many deliveries of the record at `offset` ended without an outcome. */
  returnsOf(offset: number): number {
    return this.#returns.size === 0 ? 0 : (this.#returns.get(offset) ?? 0);
  }

  complete(offset: number): void {
    this.#frontier.complete(offset);
    if (this.#attempts.size > 0) this.#attempts.delete(offset);
    if (this.#returns.size > 0) this.#returns.delete(offset);
    this.#touch();
  }

  /** Marks all from `start` to before `end`, in constant time. */
  completeSpan(start: number, end: number): void {
    this.#frontier.completeSpan(start, end);
    for (const counts of [this.#attempts, this.#returns]) {
      for (const offset of [...counts.keys()]) if (offset >= start && offset < end) counts.delete(offset);
    }
    this.#touch();
  }

  failed(offset: number, attempts: number): void {
    this.#attempts.set(offset, attempts);
    this.#touch();
  }

  returned(offset: number, returns: number): void {
    this.#returns.set(offset, returns);
    this.#touch();
  }

  /** Continues at another offset, forgetting what is done beyond it. Not allowed with work in flight. */
  moveTo(offset: number): void {
    this.#goTo(offset);
    this.#touch();
  }

  /** Commits what is done, unless Redis has it already. One commit at a time. @throws when Redis does not reply */
  async commit(): Promise<CommitResult> {
    while (this.#committing !== undefined) await this.#committing.catch(() => undefined);
    if (!this.#isDirty || this.#sought !== undefined) return 'committed';
    return this.#send();
  }

  /**
   * Sets the group's offset by hand, forwards or back. Nothing else is committed until `land`.
   *
   * @throws when Redis does not reply
   */
  async seek(offset: number): Promise<CommitResult> {
    while (this.#committing !== undefined) await this.#committing.catch(() => undefined);
    const before = this.#sought;
    this.#sought = offset;
    try {
      return await this.#send(offset);
    } catch (error) {
      this.#sought = before;
      if (this.#isDirty) this.#onChange();
      throw error;
    }
  }

  /** Moves to where the last seek has set the offset, and returns it; undefined without a seek. Not allowed with work in flight. */
  land(): number | undefined {
    const offset = this.#sought;
    if (offset === undefined) return undefined;
    this.#sought = undefined;
    this.#goTo(offset);
    this.#isDirty = false;
    return offset;
  }

  /** Commits what is done by the end of this turn of the event loop; calls in one turn share the commit. @throws {LeaseLostError} */
  flush(): Promise<void> {
    this.#flushing ??= Promise.resolve().then(async () => {
      this.#flushing = undefined;
      if ((await this.commit()) === 'lost') throw lost(this.#lease);
    });
    return this.#flushing;
  }

  async #send(seekTo?: number): Promise<CommitResult> {
    if (this.#lease.isLost) return 'lost';
    this.#committing = this.#call(seekTo);
    try {
      return await this.#committing;
    } finally {
      this.#committing = undefined;
    }
  }

  async #call(seekTo: number | undefined): Promise<CommitResult> {
    const isSeek = seekTo !== undefined;
    const offset = seekTo ?? this.#frontier.offset;
    const progress = isSeek ? nothing : encodeProgress(this.#frontier, this.#attempts, maxProgressBytes, this.#returns);
    const sentAt = performance.now();
    if (!isSeek) this.#isDirty = false;
    try {
      const commit = { offset, progress, anchor: this.#anchor(), isSeek };
      const { place, holder, leaseMs } = this.#lease;
      const reply = await commitOffset(this.#client(), place, holder, leaseMs, commit);
      this.#onCommit(reply.kind, offset);
      if (reply.kind !== 'committed') {
        this.#lease.lose();
        return 'lost';
      }
    } catch (error) {
      if (!isSeek) this.#touch();
      throw error;
    }
    this.#lease.extend(sentAt);
    this.#confirmed = offset;
    if (isSeek) this.#lease.rewinds++;
    return 'committed';
  }

  #goTo(offset: number): void {
    this.#frontier = new Frontier(offset);
    this.#attempts = new Map();
    this.#returns = new Map();
  }

  #touch(): void {
    if (this.#isDirty) return;
    this.#isDirty = true;
    this.#onChange();
  }
}

export function lost({ place, epoch }: HeldLease): LeaseLostError {
  return new LeaseLostError(
    `group "${place.group}" has given topic "${place.topic}", partition ${place.partition} to another member ` +
      `(this one had epoch ${epoch}). That member handles again what was not committed.`,
  );
}
