import { PreparedArguments } from '@millrace/redis';
import { type QueueKeys, queueKeys, readyKeys, unackedKey } from './keys.js';

/** The keys that one consumer's scripts use, made once for its registration. */
export interface ConsumerKeys {
  readonly prefix: string;
  readonly queue: string;
  /** The consumer's id, '' before it is registered. */
  readonly consumer: string;
  readonly all: QueueKeys;
  readonly unacked: string;
  /** Lowest priority first. */
  readonly ready: readonly string[];
  /** What `turn` declares. */
  readonly turn: PreparedArguments;
}

export function consumerKeys(prefix: string, queue: string, consumer: string, priorities: number): ConsumerKeys {
  const all = queueKeys(prefix, queue);
  const unacked = unackedKey(prefix, queue, consumer);
  const ready = readyKeys(all, priorities);
  const { messages, consumers, meta, delayed, expiry, idle, wake, counts, held, progress, cancels, handled, offered } =
    all;
  const turn = new PreparedArguments([
    messages,
    unacked,
    consumers,
    meta,
    delayed,
    expiry,
    idle,
    wake,
    counts,
    held,
    progress,
    cancels,
    handled,
    offered,
    ...ready.toReversed(),
  ]);
  return { prefix, queue, consumer, all, unacked, ready, turn };
}
