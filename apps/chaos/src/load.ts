import type { ConnectionInput } from '@millrace/redis';

/** What is declared, and under which load it is. Both kinds of process and the checker go by this. */
export const topic = 'orders';
export const group = 'shipping';
/** A second group of the same topic. It takes batches that wait for more records. */
export const batchGroup = 'auditing';
/** Is deleted and declared again now and then. */
export const shortLivedTopic = 'campaigns';
/** Begins at the end of it, so that it must notice that a topic is another one. */
export const shortLivedGroup = 'mailing';
/** Every group, and the topic that it reads. */
export const groups = { [group]: topic, [batchGroup]: topic, [shortLivedGroup]: shortLivedTopic } as const;
export const deadTopic = `${topic}.dead-letters`;
export const exchange = 'events';
/** Takes everything, also what is delayed. */
export const workQueue = 'work';
/** Refuses what is too much. */
export const boundedQueue = 'bounded';
/** Has one consumer, which has it in order. */
export const lineQueue = 'line';
/** Get the same messages, some of which die in both, and have one place for their dead letters. */
export const twinQueues = ['left', 'right'] as const;
export const twinDeadLetters = 'graves';
/** It has no consumers: nearly all that comes expires between the few that stay. */
export const crowdQueue = 'crowd';
/** Those that are drained by consumers. */
export const consumedQueues = [workQueue, boundedQueue, lineQueue, ...twinQueues] as const;
export const queues = [...consumedQueues, crowdQueue] as const;
/** Where the dead letters of a queue are. */
export const deadLetterQueues = [`${workQueue}.dead-letters`, `${boundedQueue}.dead-letters`, twinDeadLetters] as const;
export const initialPartitions = 4;
export const prefetch = { [workQueue]: 10, [boundedQueue]: 5, [lineQueue]: 10, left: 10, right: 10 } as const;
export const maxLength = 30;
/** Of completed messages the work queue keeps the newest so many, and one of the twins those of so long ago. */
export const keepCompleted = { [workQueue]: { count: 200 }, [twinQueues[0]]: { ageMs: 2000 } } as const;
/** Of members and of consumers. Short, so that a minute sees many of them end. */
export const leaseMs = 2000;

/** What a process is told by its environment, as JSON in `CHAOS`. */
export interface Assignment {
  readonly name: string;
  readonly journalFolder: string;
  readonly connection: ConnectionInput;
  /** Messages a second of this producer, on each of the two sides. */
  readonly rate: number;
  /** Replicas that must have what is confirmed; 0: none. */
  readonly minReplicas: number;
  /** Whether this consumer is the one of the queue that has one. */
  readonly isLone: boolean;
}

export function readAssignment(): Assignment {
  return JSON.parse(process.env.CHAOS ?? '{}') as Assignment;
}

/** What is sent: enough to know it again. */
export interface Payload {
  readonly key: string;
  readonly seq: number;
}

export type Fate = 'good' | 'flaky' | 'poison';

/** Whether it dies in both of the queues that get it. */
export function isTwinDoomed({ seq }: Payload): boolean {
  return seq % 2 === 1;
}

/** What its handler will do: some fail at the first attempt, few always. */
export function fateOf({ seq }: Payload): Fate {
  if (seq % 67 === 66) return 'poison';
  return seq % 23 === 22 ? 'flaky' : 'good';
}
