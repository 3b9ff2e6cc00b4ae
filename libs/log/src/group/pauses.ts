import { assertNoProblem, shown } from '@millrace/core';
import { PauseWait } from '@millrace/delivery';
import { partitionName, type TopicPartition, topicPartitionProblem } from '../model/topic-partition.js';

/** Which partitions a consumer was asked to pause, whether it owns them or not. */
export class Pauses {
  #all: boolean;
  /** The exceptions to `all`. */
  readonly #others = new Set<string>();
  /** Callers that wait until what is paused is idle. */
  readonly wait = new PauseWait();

  constructor(startPaused: boolean) {
    this.#all = startPaused;
  }

  pause(partitions?: readonly TopicPartition[]): void {
    this.#set(true, partitions);
  }

  resume(partitions?: readonly TopicPartition[]): void {
    this.#set(false, partitions);
    this.wait.end();
  }

  has(partition: TopicPartition): boolean {
    return this.#all !== this.#others.has(partitionName(partition));
  }

  #set(isPaused: boolean, partitions: readonly TopicPartition[] | undefined): void {
    if (partitions === undefined) {
      this.#all = isPaused;
      this.#others.clear();
      return;
    }
    assertNoProblem('pause or resume', ...problems(partitions));
    for (const partition of partitions) {
      const name = partitionName(partition);
      if (isPaused === this.#all) this.#others.delete(name);
      else this.#others.add(name);
    }
  }
}

function problems(partitions: unknown): (string | undefined)[] {
  if (!Array.isArray(partitions))
    return [`partitions must be a list of { topic, partition }, got ${shown(partitions)}`];
  return partitions.map(topicPartitionProblem);
}
