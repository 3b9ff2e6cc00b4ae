import type { RedisClient } from '@millrace/redis';
import fc from 'fast-check';
import { resolveTopic } from '../../libs/log/src/model/topic.js';
import { appendBatch } from '../../libs/log/src/store/append.js';
import { commitOffset } from '../../libs/log/src/store/commit.js';
import { lookAtGroup } from '../../libs/log/src/store/group-offsets.js';
import { partitionKeys } from '../../libs/log/src/store/keys.js';
import { acquireLease, hashOf, type LeaseHolder, releaseLease, renewLeases } from '../../libs/log/src/store/lease.js';
import { openPartition } from '../../libs/log/src/store/partition.js';
import { readBatches, type StoredBatch } from '../../libs/log/src/store/read.js';

const who = fc.nat(2);
/** With the epoch before the last that it got: as a process does that has not noticed. */
const isStale = fc.nat(3).map((n) => n === 0);

/** What may happen to a partition and a group's members next. */
export const happenings = fc.oneof(
  fc.record({ what: fc.constant('append' as const), count: fc.integer({ min: 1, max: 5 }), ahead: fc.nat(1) }),
  fc.record({ what: fc.constant('repeat' as const), back: fc.nat(6) }),
  fc.record({ what: fc.constantFrom('acquire' as const, 'acquire-of-dead' as const), who }),
  fc.record({
    what: fc.constant('commit' as const),
    who,
    batch: fc.nat(5),
    isStale,
    isSeek: fc.nat(9).map((n) => n === 0),
  }),
  fc.record({ what: fc.constantFrom('renew' as const, 'release' as const), who, isStale }),
  fc.record({ what: fc.constant('lease-ends' as const) }),
);

type Happening = typeof happenings extends fc.Arbitrary<infer T> ? T : never;

const leaseMs = 3_600_000;

/** A partition driven through the store's functions, as producers and members do, and what must be true of it all the time. */
export class PartitionUnderSchedule {
  readonly #place: { prefix: string; topic: string; partition: number; group: string };
  readonly #wrong: string[] = [];
  /** The base offset of each batch, by its sequence number. */
  readonly #bases: number[] = [];
  #end = 0;
  /** The epochs that each member got. */
  readonly #epochs: number[][] = [[], [], []];
  #current: { member: number; epoch: number; hasEnded: boolean } | undefined;
  #newest = 0;
  #committed = 0;

  private constructor(
    private readonly client: RedisClient,
    /** Who looks at the keys, and lets time pass: may do everything. */
    private readonly owner: RedisClient,
    prefix: string,
  ) {
    this.#place = { prefix, topic: 'orders', partition: 0, group: 'g' };
  }

  static async start(client: RedisClient, owner: RedisClient, prefix: string): Promise<PartitionUnderSchedule> {
    await openPartition(client, prefix, { id: 1, version: 1, ...resolveTopic({ name: 'orders' }) }, 0);
    return new PartitionUnderSchedule(client, owner, prefix);
  }

  async make(happening: Happening): Promise<void> {
    switch (happening.what) {
      case 'append':
        return this.#append(happening.count, this.#bases.length + happening.ahead, happening.ahead > 0);
      case 'repeat':
        return this.#repeat(this.#bases.length - 1 - happening.back);
      case 'acquire':
        return this.#acquire(happening.who, '');
      case 'acquire-of-dead':
        return this.#acquire(happening.who, nameOf(this.#current?.member ?? 0));
      case 'commit':
        return this.#commit(this.#holder(happening), happening.batch, happening.isSeek);
      case 'renew': {
        const holder = this.#holder(happening);
        const [renewed] = await renewLeases(this.client, [{ ...holder, place: this.#place, leaseMs }]);
        const isRenewed = renewed !== undefined;
        if (isRenewed !== this.#owns(holder)) this.#wrong.push(`renewed: ${isRenewed}`);
        if (isRenewed && this.#current !== undefined) this.#current.hasEnded = false;
        return;
      }
      case 'release': {
        const holder = this.#holder(happening);
        const owns = this.#owns(holder);
        await releaseLease(this.client, this.#place, holder);
        if (owns) this.#current = undefined;
        return;
      }
      case 'lease-ends':
        if (this.#current === undefined) return;
        await this.owner.hset(hashOf(this.#place), 'until', 1);
        this.#current.hasEnded = true;
    }
  }

  async problems(): Promise<string[]> {
    const problems = [...this.#wrong];
    const place = await lookAtGroup(this.client, this.#place);
    const expected = this.#newest === 0 ? undefined : this.#committed;
    if (place?.committed !== expected) problems.push(`${place?.committed} is committed, not ${expected}`);
    if (place?.epoch !== this.#newest) problems.push(`the epoch is ${place?.epoch}, not ${this.#newest}`);
    if (place?.end !== this.#end) problems.push(`the log ends at ${place?.end}, not ${this.#end}`);
    const owner = this.#current?.hasEnded === false ? nameOf(this.#current.member) : undefined;
    if (place?.owner !== owner) problems.push(`${place?.owner} owns it, not ${owner}`);
    const ends = (await this.#batches()).map(({ endOffset }) => endOffset);
    if (ends.join() !== [...this.#bases.slice(1), ...(this.#end > 0 ? [this.#end] : [])].join()) {
      problems.push(`batches end at ${ends}, and begin at ${this.#bases}`);
    }
    return problems;
  }

  async #append(count: number, sequence: number, isGap: boolean): Promise<void> {
    const reply = await this.#send(count, sequence);
    if (isGap) {
      if (reply.kind !== 'gap') this.#wrong.push(`batch ${sequence} out of turn: ${reply.kind}`);
    } else if (reply.kind !== 'appended' || reply.baseOffset !== this.#end) {
      this.#wrong.push(`batch ${sequence}: ${JSON.stringify(reply)} at ${this.#end}`);
    } else {
      this.#bases.push(this.#end);
      this.#end += count;
    }
  }

  async #repeat(sequence: number): Promise<void> {
    if (sequence < 0) return;
    const reply = await this.#send(1, sequence);
    const isRemembered = sequence >= this.#bases.length - 5;
    const isRight = isRemembered
      ? reply.kind === 'appended' && reply.baseOffset === this.#bases[sequence]
      : reply.kind === 'stale';
    if (!isRight) this.#wrong.push(`batch ${sequence} of ${this.#bases.length} again: ${JSON.stringify(reply)}`);
  }

  #send(count: number, sequence: number) {
    const { prefix, topic } = this.#place;
    const identity = { producerId: 'p', epoch: 0, sequence };
    const batch = { topicId: 1, count, maxTimestamp: 1, frame: Buffer.from('frame'), identity };
    return appendBatch(this.client, partitionKeys(prefix, topic, 0), batch);
  }

  async #acquire(member: number, dead: string): Promise<void> {
    const request = { owner: nameOf(member), leaseMs, from: 'earliest' as const, dead };
    const reply = await acquireLease(this.client, this.#place, request);
    const { member: other = member, hasEnded = false } = this.#current ?? {};
    const isFree = other === member || hasEnded || dead !== '';
    if (reply.kind !== (isFree ? 'acquired' : 'held')) this.#wrong.push(`acquire: ${reply.kind}, and free: ${isFree}`);
    if (reply.kind !== 'acquired') return;
    if (reply.epoch <= this.#newest) this.#wrong.push(`epoch ${reply.epoch} after ${this.#newest}`);
    if (reply.committed !== this.#committed) this.#wrong.push(`begins at ${reply.committed}, not ${this.#committed}`);
    this.#newest = reply.epoch;
    this.#epochs[member]?.push(reply.epoch);
    this.#current = { member, epoch: reply.epoch, hasEnded: false };
  }

  async #commit(holder: LeaseHolder, batch: number, isSeek: boolean): Promise<void> {
    const batches = await this.#batches();
    const read = batches[batch % Math.max(1, batches.length)];
    if (read === undefined) return;
    const commit = { offset: read.endOffset, progress: Buffer.alloc(0), anchor: read, isSeek };
    const { kind } = await commitOffset(this.client, this.#place, holder, leaseMs, commit);
    const mayCommit = this.#owns(holder) && (isSeek || read.endOffset >= this.#committed);
    if (kind !== (mayCommit ? 'committed' : 'fenced')) {
      this.#wrong.push(`commit of ${read.endOffset} after ${this.#committed} by ${JSON.stringify(holder)}: ${kind}`);
    }
    if (kind !== 'committed') return;
    this.#committed = read.endOffset;
    if (this.#current !== undefined) this.#current.hasEnded = false;
  }

  #batches(): Promise<StoredBatch[]> {
    const { prefix, topic } = this.#place;
    return readBatches(this.client, partitionKeys(prefix, topic, 0), 0, { count: 1000 });
  }

  #holder({ who: member, isStale: isBefore }: { readonly who: number; readonly isStale: boolean }): LeaseHolder {
    return { owner: nameOf(member), epoch: this.#epochs[member]?.at(isBefore ? -2 : -1) ?? 0 };
  }

  #owns({ owner, epoch }: LeaseHolder): boolean {
    return this.#current !== undefined && nameOf(this.#current.member) === owner && this.#current.epoch === epoch;
  }
}

function nameOf(member: number): string {
  return `m${member} incarnation`;
}
