import type { Router } from '../model/routing.js';
import { queueOf } from '../model/shards.js';
import { broughtKey, queueKeys } from '../store/keys.js';
import { type EntryResult, type PublishCall, type PublishTarget, targetKeys, wholeTarget } from '../store/publish.js';
import type { Publication } from './publication.js';
import type { PublishEntry } from './publish-entry.js';

// Limits of one script call, which bound how long it blocks the server: some two ms.
export const maxMessages = 500;
const maxBytes = 1024 * 1024;
/** Most queues of one message that one call reaches: all or none. They take Redis three ms. */
export const maxQueues = 250;
/**
 * What a call costs Redis, in about µs: per queue, per message and queue, and per message handled singly: with terms, into queues with
 * limits, or into other queues than the first.
 */
const maxCost = 2000;
const queueCost = 10;
const plainCost = 2;
const singleCost = 8;

/**
 * The parts that are the same in all calls for a queue while its topology lasts: building a dozen keys took as long as packing a message.
 * A router belongs to one topology, and so to one prefix.
 */
const targetsOf = new WeakMap<Router, Map<string, PublishTarget>>();

function targetOf(prefix: string, queue: string, router: Router): PublishTarget {
  const known = targetsOf.get(router)?.get(queue);
  if (known !== undefined) return known;
  const priorities = router.topology.queues.get(queueOf(queue))?.priorities ?? 1;
  const keys = targetKeys(queueKeys(prefix, queue), priorities);
  const target = { keys, whole: wholeTarget(priorities), priorities, picks: undefined };
  targetsOf.set(router, (targetsOf.get(router) ?? new Map<string, PublishTarget>()).set(queue, target));
  return target;
}

function isOfOneCall(entry: PublishEntry, first: PublishEntry | undefined): boolean {
  return entry.router === first?.router && entry.publication.source === first.publication.source;
}

function isLimited({ topology }: Router, slot: string): boolean {
  const settings = topology.queues.get(queueOf(slot));
  if (settings === undefined) return false;
  const { maxLength, maxBytes, messageTtlMs, priorities } = settings;
  return priorities > 1 || [maxLength, maxBytes, messageTtlMs].some((limit) => limit !== undefined);
}

/** On one server messages of one route have one list of queues; on a cluster each has lists of its own, per slot. */
function areSame(queues: readonly string[], first: readonly string[]): boolean {
  return queues === first || (queues.length === first.length && queues.every((queue, index) => queue === first[index]));
}

/** The size and cost of a call. */
class CallSize {
  #messages = 0;
  #bytes = 0;
  #cost = 0;
  /** The queues of the first message: usually all others have the same. */
  #first: readonly string[] | undefined;
  #queues: Set<string> | undefined;
  /** Whether each message is handled singly in the first one's queues, and may drop others. */
  #isLimited = false;

  /** Adds a message. Returns whether it still fits. */
  add({ publication, queues, router }: PublishEntry): boolean {
    this.#messages++;
    this.#bytes += publication.bytes;
    if (this.#first === undefined) {
      this.#first = queues;
      this.#isLimited = queues.some((queue) => isLimited(router, queue));
      this.#cost = queues.length * queueCost;
    }
    const isSame = areSame(queues, this.#first);
    if (!isSame) this.#addQueues(queues);
    const isPlain = isSame && !this.#isLimited && publication.terms === '';
    this.#cost += queues.length * (isPlain ? plainCost : singleCost);
    return this.#messages <= maxMessages && this.#bytes <= maxBytes && this.#cost <= maxCost;
  }

  #addQueues(queues: readonly string[]): void {
    this.#queues ??= new Set(this.#first);
    const before = this.#queues.size;
    for (const queue of queues) this.#queues.add(queue);
    this.#cost += (this.#queues.size - before) * queueCost;
  }
}

/** The messages of one script call. */
export class PublishBatch {
  readonly entries: readonly PublishEntry[];
  readonly queues: readonly string[];
  /** For each queue its messages, by index. */
  readonly #picks = new Map<string, number[]>();
  callNumber = 0;
  /** The keys under which the script records this call; undefined while it has none. */
  place: PublishCall['keys'] | undefined;
  /** The call may have been executed: it must not be changed any more. */
  isTainted = false;
  #isUncertain = false;

  /** Takes the first entries that fit in one call, with one topology and one source or none. Skips those that were given up. */
  static cut(pending: PublishEntry[]): PublishBatch | undefined {
    const entries: PublishEntry[] = [];
    const size = new CallSize();
    let taken = 0;
    for (const entry of pending) {
      if (!entry.publication.isSettled) {
        const isFitting = size.add(entry);
        if (entries.length > 0 && !(isFitting && isOfOneCall(entry, entries[0]))) break;
        entries.push(entry);
      }
      taken++;
    }
    pending.splice(0, taken);
    return entries.length === 0 ? undefined : new PublishBatch(entries);
  }

  constructor(entries: readonly PublishEntry[]) {
    this.entries = entries;
    entries.forEach(({ queues }, index) => {
      for (const queue of queues) {
        const picks = this.#picks.get(queue);
        if (picks === undefined) this.#picks.set(queue, [index]);
        else picks.push(index);
      }
    });
    this.queues = [...this.#picks.keys()];
  }

  get version(): number {
    return this.entries[0]?.router.topology.version ?? 0;
  }

  get messages(): Publication[] {
    return this.queues.length === 0 ? [] : this.entries.map(({ publication }) => publication);
  }

  /** None of them is waited for any longer. */
  get isGivenUp(): boolean {
    return this.entries.every(({ publication }) => publication.isSettled);
  }

  /** Whether every message goes to all its queues in this call, as always on one server. */
  get #isWhole(): boolean {
    return this.entries.every(({ publication, queues }) => publication.slots === queues);
  }

  number(callNumber: number, place: PublishCall['keys']): void {
    this.callNumber = callNumber;
    this.place = place;
  }

  /** Whether it may have been executed without a reply: from sending it until the reply. */
  set isUncertain(isUncertain: boolean) {
    if (isUncertain === this.#isUncertain) return;
    this.#isUncertain = isUncertain;
    for (const { publication } of this.entries) publication.uncertainCalls += isUncertain ? 1 : -1;
  }

  targets(prefix: string): PublishTarget[] {
    const router = this.entries[0]?.router;
    if (router === undefined) return [];
    return this.queues.map((queue) => {
      const picks = this.#picks.get(queue);
      const target = targetOf(prefix, queue, router);
      return picks?.length === this.entries.length ? target : { ...target, picks };
    });
  }

  /** See `PublishCall`. */
  brought(prefix: string): string[] {
    const source = this.entries[0]?.publication.source;
    return source === undefined ? [] : this.queues.map((queue) => broughtKey(prefix, queue, source));
  }

  /** What to send again: this call as it was if it may have been executed, else without those that were given up. */
  forRetry(release: () => void): PublishBatch {
    const waiting = this.entries.filter(({ publication }) => !publication.isSettled);
    if (this.isTainted || waiting.length === this.entries.length) return this;
    release();
    return new PublishBatch(waiting);
  }

  /** Passes each message its results per queue. */
  distribute(exceptions: readonly { message: number; target: number; result: EntryResult }[]): void {
    if (exceptions.length === 0 && this.#isWhole) {
      for (const { publication } of this.entries) publication.entered();
      return;
    }
    const results = new Map(exceptions.map(({ message, target, result }) => [`${message} ${target}`, result]));
    for (const [target, queue] of this.queues.entries()) {
      for (const index of this.#picks.get(queue) ?? []) {
        const result = results.get(`${index} ${target}`);
        this.entries[index]?.publication.answered(queue, result);
      }
    }
  }
}
