import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '@millrace/log';
import type { Crew, Post } from './crew.js';
import { machineClock } from './journal.js';
import { shortLivedTopic, topic } from './load.js';
import type { PlannedFault } from './model/fault-plan.js';
import type { DoneFault } from './model/observation.js';
import { outages, type Stage } from './stage.js';

/**
 * Does what was planned. What is done to processes waits for what is done to processes, and what is done to Redis for what
 * is done to Redis; between the two there is no order, so that a consumer may freeze while Redis is away.
 */
export class FaultRunner {
  readonly done: DoneFault[] = [];
  /** Faults that could not be done, and why. */
  readonly missed: string[] = [];
  readonly #stage: Stage;
  readonly #crew: Crew;
  readonly #log: Log;
  #onCrew: Promise<void> = Promise.resolve();
  #onRedis: Promise<void> = Promise.resolve();

  constructor(stage: Stage, crew: Crew, log: Log) {
    this.#stage = stage;
    this.#crew = crew;
    this.#log = log;
  }

  /** Resolves when the last one is over. */
  async run(faults: readonly PlannedFault[], onBegin: (fault: PlannedFault) => void): Promise<void> {
    const start = performance.now();
    for (const fault of faults) {
      await sleep(Math.max(0, start + fault.atMs - performance.now()));
      if (isOnCrew(fault)) this.#onCrew = this.#onCrew.then(() => this.#do(fault, onBegin));
      else this.#onRedis = this.#onRedis.then(() => this.#do(fault, onBegin));
    }
    await Promise.all([this.#onCrew, this.#onRedis]);
  }

  async #do(fault: PlannedFault, onBegin: (fault: PlannedFault) => void): Promise<void> {
    onBegin(fault);
    const beganAt = machineClock();
    try {
      await this.#perform(fault);
    } catch (error) {
      this.missed.push(`${fault.kind}: ${error instanceof Error ? error.message : String(error)}`);
    }
    this.done.push({ kind: fault.kind, beganAt, endedAt: machineClock(), isOutage: outages.has(fault.kind) });
  }

  async #perform(fault: PlannedFault): Promise<void> {
    const { producers, consumers } = this.#crew;
    switch (fault.kind) {
      case 'kill-consumer':
        return chosen(consumers, fault).kill();
      case 'kill-producer':
        return chosen(producers, fault).kill();
      case 'freeze-consumer':
        return chosen(consumers, fault).freeze(fault.forMs);
      case 'freeze-producer':
        return chosen(producers, fault).freeze(fault.forMs);
      case 'block-consumer':
        return chosen(consumers, fault).harmItself({ kind: 'block', forMs: fault.forMs });
      case 'throw-in-consumer':
        return chosen(consumers, fault).harmItself({ kind: 'throw', forMs: fault.forMs });
      case 'recreate-topic':
        return this.#recreateTopic();
      case 'rolling-restart':
        return this.#crew.rollConsumers();
      case 'add-partition':
        return this.#addPartition();
      default:
        return this.#stage.perform(fault);
    }
  }

  /** Declares it again immediately. */
  async #recreateTopic(): Promise<void> {
    await this.#log.deleteTopic(shortLivedTopic);
    await this.#log.declareTopic({ name: shortLivedTopic, partitions: 2 });
  }

  async #addPartition(): Promise<void> {
    const { partitions } = await this.#log.describeTopic(topic);
    await this.#log.addPartitions(topic, partitions + 1);
  }
}

function isOnCrew({ kind }: PlannedFault): boolean {
  return kind === 'rolling-restart' || kind.endsWith('-consumer') || kind.endsWith('-producer');
}

function chosen(posts: readonly Post[], { choice }: PlannedFault): Post {
  const post = posts[Math.floor(choice * posts.length)];
  if (post === undefined) throw new Error('no process is there to be chosen');
  return post;
}
