import { integerProblem, shown, topicNameProblem } from '@millrace/core';

/** One partition of one topic. */
export interface TopicPartition {
  /** The topic's name. */
  readonly topic: string;
  /** The partition's number, from 0. */
  readonly partition: number;
}

/** `orders/3`: used as a map key and in texts. */
export function partitionName({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

/** What is wrong with a partition of a topic, which may come from untyped code; undefined: nothing. */
export function topicPartitionProblem(given: unknown): string | undefined {
  if (typeof given !== 'object' || given === null || !('topic' in given && 'partition' in given)) {
    return `a partition must be { topic, partition }, got ${shown(given)}`;
  }
  return topicNameProblem(given.topic) ?? integerProblem('partition', given.partition);
}

/** By code units, so that every process sorts alike in any locale. */
export function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
