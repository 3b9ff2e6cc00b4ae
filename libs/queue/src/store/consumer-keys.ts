import { PreparedArguments } from '@millrace/redis';
import { completedKeys } from './completed.js';
import { endingKeys } from './endings.js';
import { type QueueKeys, queueKeys, unackedKey, waitingKeys } from './keys.js';

/** The keys that one consumer's scripts use, built once per registration. */
export interface ConsumerKeys {
  readonly prefix: string;
  readonly queue: string;
  /** The consumer's id, '' before it is registered. */
  readonly consumer: string;
  readonly all: QueueKeys;
  readonly unacked: string;
  /** The lists of waiting messages, lowest priority first. */
  readonly waiting: readonly string[];
  readonly priorities: number;
  /** The keys that `turn` declares: those of `turnKeys`, and the lists. */
  readonly turn: PreparedArguments;
}

/** The names of a turn script's first keys. */
export const turnKeys = [
  ...endingKeys,
  'state',
  'unacked',
  'consumers',
  'delayed',
  'idle',
  'wake',
  'offered',
  ...completedKeys,
] as const;

export function consumerKeys(prefix: string, queue: string, consumer: string, priorities: number): ConsumerKeys {
  const all = queueKeys(prefix, queue);
  const unacked = unackedKey(prefix, queue, consumer);
  const waiting = waitingKeys(all, priorities);
  const own = { ...all, unacked };
  const turn = new PreparedArguments([...turnKeys.map((name) => own[name]), ...waiting]);
  return { prefix, queue, consumer, all, unacked, waiting, priorities, turn };
}
