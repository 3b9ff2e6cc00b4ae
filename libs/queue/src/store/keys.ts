import { slotInKeys } from '../model/shards.js';

/**
 * Every key of the queues. The hash tag is written only here: all keys of one queue share a slot of a
 * cluster, so each script runs on one node. A queue is named by one of its slots (`model/shards`), which without shards
 * is its name. See docs/keyspace.md for their contents.
 */
export interface QueueKeys {
  /**
   * Hash: the queue's settings, for its scripts (see `model/queue-meta.ts`), and `paused`. The queue exists
   * while this hash has the field `format`.
   */
  readonly settings: string;
  /**
   * Hash: the state that the scripts keep of the queue, including `bytes` (of the frames that wait, only kept while `max-bytes` is set),
   * `stale` (entries in the lists whose message has ended), `offers` (made ever), `trim` (the progress of a trimming pass).
   */
  readonly state: string;
  /** Hash: entry → frame, for every message the queue holds, in any state. An entry without a frame is stale. */
  readonly messages: string;
  /** Hash: id set by a publisher → entry of the message with it; of several, separated by spaces. */
  readonly ids: string;
  /**
   * Sorted set: an id whose message was handled, or the entry of a forwarded message that ended → until when a repetition is recognised.
   */
  readonly seen: string;
  /** List of entries, priority 0, the newest at the tail, on the right. `ready:<p>` holds priority p; `front` and `kept` likewise. */
  readonly ready: string;
  /** List of entries that come before those in `ready`: what the last trimming pass left. */
  readonly front: string;
  /** List of entries that come before all others: what the present trimming pass has left so far. */
  readonly kept: string;
  /** Sorted set: entry → when it is due, ms of Redis' clock. */
  readonly delayed: string;
  /** Sorted set: entry → when it expires, ms of Redis' clock, in any state. */
  readonly expiry: string;
  /** Sorted set: consumer id → lease deadline, ms of Redis' clock. */
  readonly consumers: string;
  /** Hash: consumer id → its introduction, as JSON. */
  readonly consumerInfo: string;
  /**
   * Sorted set, all scores 0: ids of the consumers that have room and found nothing, best rank first. A script that makes n
   * messages ready, or adds one to the head of `delayed`, wakes as many: `ZPOPMIN idle n`, then RPUSH `wake` those ids.
   */
  readonly idle: string;
  /** List: one element, with the id of a consumer taken out of `idle`, wakes one consumer (BLPOP). */
  readonly wake: string;
  /** Hash: entry → delivery counts, only of messages that were redelivered. */
  readonly counts: string;
  /** Sorted set: entry → number of its line, of messages whose ending has an effect in another slot. See `ended.ts`. */
  readonly ended: string;
  /** Hash: entry → the line: what follows from its ending. See `model/line.ts`. */
  readonly followUps: string;
  /** Sorted set: entry → when it expires, of messages that a consumer holds: they do not expire while they are held. */
  readonly held: string;
  /** Hash: entry → the progress that its handler last reported, as JSON. */
  readonly progress: string;
  /** Hash: entry → the consumer that holds it and must give it up. */
  readonly cancels: string;
  /** Hash: entry → which of several handlers are done with it, as JSON. */
  readonly handled: string;
  /** Sorted set: entry → since when it is parked, ms of Redis' clock. */
  readonly parked: string;
  /** Set: ids of dead consumers whose messages are not all given back yet. */
  readonly dead: string;
  /** Sorted set: entry → number of the offer: the message was sent to a waiting consumer that has not claimed it yet. */
  readonly offered: string;
  /** Sorted set: entry → when it was completed, ms of Redis' clock and a fraction that keeps the order within one turn. */
  readonly completed: string;
  /** Hash: entry of a completed message → what is kept of it; `=` and an id set by a publisher → entry of the last message with it. */
  readonly completedMessages: string;
}

/** The keys of one queue, all in one slot of a cluster. See docs/keyspace.md. */
export function queueKeys(prefix: string, queue: string): QueueKeys {
  const base = queueBase(prefix, queue);
  return {
    settings: `${base}:settings`,
    state: `${base}:state`,
    messages: `${base}:messages`,
    ids: `${base}:ids`,
    seen: `${base}:seen`,
    ready: `${base}:ready`,
    front: `${base}:front`,
    kept: `${base}:kept`,
    delayed: `${base}:delayed`,
    expiry: `${base}:expiry`,
    consumers: `${base}:consumers`,
    consumerInfo: `${base}:consumer-info`,
    idle: `${base}:idle`,
    wake: `${base}:wake`,
    counts: `${base}:counts`,
    ended: `${base}:ended`,
    followUps: `${base}:follow-ups`,
    held: `${base}:held`,
    progress: `${base}:progress`,
    cancels: `${base}:cancels`,
    handled: `${base}:handled`,
    parked: `${base}:parked`,
    dead: `${base}:dead`,
    offered: `${base}:offered`,
    completed: `${base}:completed`,
    completedMessages: `${base}:completed-messages`,
  };
}

/**
 * The lists of waiting messages: for each priority level, the lowest first, `ready`, `front`, `kept`. Level 0 has these names,
 * level p has `ready:<p>` and so on. See `waiting.ts`.
 */
export function waitingKeys(keys: QueueKeys, priorities: number): string[] {
  const { ready, front, kept } = keys;
  return Array.from({ length: priorities }, (_, priority) =>
    [ready, front, kept].map((key) => (priority === 0 ? key : `${key}:${priority}`)),
  ).flat();
}

/** Where a queue of format 1 has its settings: it is converted when it is empty. */
export function formerMetaKey(prefix: string, queue: string): string {
  return `${queueBase(prefix, queue)}:meta`;
}

/** Set: entries of the messages that one consumer holds. */
export function unackedKey(prefix: string, queue: string, consumer: string): string {
  return `${queueBase(prefix, queue)}:unacked:${consumer}`;
}

/**
 * Sorted set: what a queue received from a slot of another. Entry → number of its line; `!` and an entry it refused → the
 * same; `floor` → the lowest number that may still come. It expires.
 */
export function broughtKey(prefix: string, queue: string, source: string): string {
  return `${queueBase(prefix, queue)}:brought:${slotInKeys(source)}`;
}

/** String: the result of one message's handler, as JSON. It expires. */
export function resultKey(prefix: string, queue: string, messageId: string): string {
  return `${queueBase(prefix, queue)}:result:${messageId}`;
}

/** String: the results of a publisher's recent script call, so that repeating the call has no effect. It expires. */
export function publishedKey(prefix: string, queue: string | undefined, publisher: string, place: number): string {
  const base = queue === undefined ? topologyBase(prefix) : queueBase(prefix, queue);
  return `${base}:published:${publisher}:${place}`;
}

/** The keys of one process that sends requests, in a slot of their own. Its secret is known to those who may reply. */
export interface ReplyKeys {
  /**
   * Stream: an entry has fields `r`, each of them a reply; for items of a stream of replies preceded by a field `a`, their author.
   * Nothing is popped: a reply that was cut off is read again. Created by the requester; it expires.
   */
  readonly replies: string;
  /** Hash: correlation id → how many items of its stream of replies were consumed. It expires. */
  readonly consumed: string;
}

export function replyKeys(prefix: string, secret: string): ReplyKeys {
  const base = `${prefix}:{reply:${secret}}`;
  return { replies: `${base}:replies`, consumed: `${base}:consumed` };
}

/** The declared topology, in one slot of a cluster. */
export interface TopologyKeys {
  /** Hash: `version`, which grows with every change that routing can notice; `logged`, how many edits `changes` has. */
  readonly meta: string;
  /** Hash: exchange name → settings as JSON. */
  readonly exchanges: string;
  /** Hash: queue name → settings as JSON. */
  readonly queues: string;
  /** Hash: binding id → binding as JSON. */
  readonly bindings: string;
  /** Sorted set: the last changes, each with its version and the version before it → its version. */
  readonly changes: string;
}

/** The keys of exchanges, queues and bindings. See docs/keyspace.md. */
export function topologyKeys(prefix: string): TopologyKeys {
  const base = topologyBase(prefix);
  return {
    meta: `${base}:meta`,
    exchanges: `${base}:exchanges`,
    queues: `${base}:queues`,
    bindings: `${base}:bindings`,
    changes: `${base}:changes`,
  };
}

/** String: the upkeep leader, a Broker. It expires. */
export function upkeepLeaderKey(prefix: string): string {
  return `${topologyBase(prefix)}:keeper`;
}

function queueBase(prefix: string, queue: string): string {
  return `${prefix}:{queue:${slotInKeys(queue)}}`;
}

function topologyBase(prefix: string): string {
  return `${prefix}:{topology}`;
}
