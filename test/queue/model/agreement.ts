import type { ModelMessage } from './model-message.js';
import type { Observation } from './observation.js';
import type { QueueModel } from './queue-model.js';
import { standsBefore, wasPassedBy } from './standing.js';

/** Where a message was seen. */
interface Sight {
  readonly place: 'ready' | 'delayed' | 'parked' | 'dead' | 'held';
  readonly by?: number | undefined;
  readonly reason?: string;
}

/** Within this time the upkeep ends what has expired in a queue without consumers. */
const upkeepMs = 6000;

/** What was seen of a queue, held against its model: what may not be, and what is still to come. */
export class Agreement {
  readonly #model: QueueModel;
  readonly #seen: Observation;
  readonly sights = new Map<number, Sight>();
  readonly #problems: string[] = [];

  constructor(model: QueueModel, seen: Observation) {
    this.#model = model;
    this.#seen = seen;
    for (const place of ['ready', 'delayed', 'parked', 'dead'] as const)
      for (const listed of seen[place])
        this.#note(listed.number, { place, ...('reason' in listed && { reason: String(listed.reason) }) });
    for (const [number, by] of seen.held) this.#note(number, { place: 'held', by });
  }

  /** Empty when the two agree. */
  problems(): readonly string[] {
    for (const message of this.#model.messages.values()) this.#checkPlace(message);
    for (const number of this.sights.keys())
      if (!this.#model.messages.has(number)) this.#problems.push(`m${number} is there and was never published`);
    this.#checkCounts();
    this.#checkStale();
    this.#checkConsumers();
    this.#checkWhatIsDue();
    this.#checkOrder();
    return this.#problems;
  }

  /** What was taken in this step out of what was ready. */
  taken(): ModelMessage[] {
    return this.#model.in('ready', 'delayed').filter(({ facts: { number } }) => {
      const place = this.sights.get(number)?.place;
      return place === 'held' || place === 'parked' || this.#seen.handled.has(number);
    });
  }

  #note(number: number, sight: Sight): void {
    const other = this.sights.get(number);
    if (other !== undefined) this.#problems.push(`m${number} is ${other.place} and ${sight.place}`);
    this.sights.set(number, sight);
  }

  #checkPlace(message: ModelMessage): void {
    const sight = this.sights.get(message.facts.number);
    if (this.#mayBe(message, sight)) return;
    const by = sight?.by === undefined ? '' : ` by c${sight.by}`;
    this.#problems.push(
      `${message} was seen ${sight === undefined ? 'nowhere' : `${sight.place}${by} ${sight.reason ?? ''}`}`,
    );
  }

  #mayBe(message: ModelMessage, sight: Sight | undefined): boolean {
    switch (message.place) {
      case 'gone':
        return sight === undefined;
      case 'dead':
        return sight?.place === 'dead' && sight.reason === message.why;
      case 'parked':
        return sight?.place === 'parked';
      case 'held':
        if (this.#isHandledBy(message, sight) || (sight?.place === 'held' && sight.by === message.by?.number))
          return true;
        if (message.by?.isLive === true) return message.facts.hasNoHandler && sight?.place === 'parked';
        return this.#mayBeWhenReady(message, sight);
      case 'delayed':
        if (sight?.place === 'delayed' || this.#isExpired(message, sight)) return true;
        return this.#seen.now >= message.due.from && this.#mayBeWhenReady(message, sight);
      case 'ready':
        return this.#mayBeWhenReady(message, sight);
    }
  }

  #mayBeWhenReady(message: ModelMessage, sight: Sight | undefined): boolean {
    if (sight?.place === 'ready' || this.#isExpired(message, sight)) return true;
    if (this.#model.isPaused && this.#model.switchedIn !== this.#model.step) return false;
    const isTaken = sight?.place === 'held' && this.#model.live.some(({ number }) => number === sight.by);
    const isParked = sight?.place === 'parked' && message.facts.hasNoHandler;
    if (!isTaken && !isParked && !this.#isHandledBy(message, sight)) return false;
    return message.expires.by > this.#model.stepBegan;
  }

  #isHandledBy({ facts }: ModelMessage, sight: Sight | undefined): boolean {
    return sight === undefined && this.#seen.handled.has(facts.number);
  }

  #isExpired({ expires }: ModelMessage, sight: Sight | undefined): boolean {
    if (this.#seen.now < expires.from) return false;
    return this.#model.settings.hasDeadLetters
      ? sight?.place === 'dead' && sight.reason === 'expired'
      : sight === undefined;
  }

  #checkCounts(): void {
    const { counts, held } = this.#seen;
    const expected = { unacked: held.size, dying: 0 };
    for (const place of ['ready', 'delayed', 'parked'] as const)
      Object.assign(expected, { [place]: this.#seen[place].length });
    for (const [name, count] of Object.entries(expected)) {
      const counted = counts[name as keyof typeof counts];
      if (counted !== count) this.#problems.push(`counts() has ${counted} ${name}, ${count} are there`);
    }
    const { live, consumers } = this.#model;
    if (counts.consumers < live.length || counts.consumers > consumers.length)
      this.#problems.push(`counts() has ${counts.consumers} consumers, ${live.length} live`);
  }

  /** What ended while it waited is counted until its entry leaves the lists. */
  #checkStale(): void {
    for (const { slot, counted, present } of this.#seen.stale)
      if (counted !== present) this.#problems.push(`${slot} counts ${counted} stale entries, ${present} are listed`);
  }

  /** A consumer with room gets messages, and a consumer with messages handles one. */
  #checkConsumers(): void {
    for (const consumer of this.#model.consumers) {
      const { name, number, prefetch, isLive, isQuick } = consumer;
      const held = [...this.#seen.held.values()].filter((by) => by === number).length;
      if (!isLive) {
        if (held > 0 && this.#model.live.length > 0) this.#problems.push(`${name} is dead and holds ${held}`);
        continue;
      }
      if (held > prefetch) this.#problems.push(`${name} holds ${held} of at most ${prefetch}`);
      if (held < prefetch && !this.#model.isPaused && this.#seen.ready.length > 0)
        this.#problems.push(`${name} has room and ${this.#seen.ready.length} are ready`);
      const running = this.#seen.running.get(number);
      if (held > 0 && running === undefined) this.#problems.push(`${name} holds ${held} and handles none`);
      if (held > 0 && isQuick) this.#problems.push(`${name} should have handled ${held} by now`);
      if (running !== undefined && this.#seen.held.get(running) !== number)
        this.#problems.push(`${name} handles m${running}, which is not its own`);
      const isKnown =
        consumer.running?.facts.number === running || this.#seen.starts.some((start) => start.number === running);
      if (running !== undefined && !isKnown) this.#problems.push(`${name} has just begun m${running}`);
    }
  }

  #checkWhatIsDue(): void {
    const { live, isPaused, messages } = this.#model;
    const { ready, delayed, held, now } = this.#seen;
    const hasRoom = live.some(
      ({ number, prefetch }) => [...held.values()].filter((by) => by === number).length < prefetch,
    );
    for (const { number } of delayed) {
      const message = messages.get(number);
      if (hasRoom && !isPaused && message?.place === 'delayed' && message.due.by < now)
        this.#problems.push(`${message} is due`);
    }
    // A consumer sees to it, also one that may take nothing; without one the upkeep.
    const expiredBefore = live.length > 0 ? now : now - upkeepMs;
    for (const { number } of [...ready, ...delayed]) {
      const message = messages.get(number);
      if (message !== undefined && message.expires.by < expiredBefore) this.#problems.push(`${message} has expired`);
    }
  }

  #checkOrder(): void {
    if (!this.#model.isOrdered) return;
    const ready = this.#seen.ready.flatMap(({ number }) => this.#model.messages.get(number) ?? []);
    for (const [index, later] of ready.entries()) {
      for (const earlier of ready.slice(0, index)) {
        if (earlier.isSameLine(later) ? standsBefore(later.standing, earlier.standing) : this.#isLower(earlier, later))
          this.#problems.push(`${earlier.name} is ready before ${later.name}`);
      }
    }
    for (const taken of this.taken()) {
      for (const left of ready)
        if (left.isSameLine(taken) && wasPassedBy(left.standing, taken.standing))
          this.#problems.push(`${taken.name} was taken before ${left.name}`);
    }
  }

  #isLower(earlier: ModelMessage, later: ModelMessage): boolean {
    return this.#model.settings.shards === 1 && earlier.facts.priority < later.facts.priority;
  }
}
