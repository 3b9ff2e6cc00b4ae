import { slotInKeys } from '../model/shards.js';

/**
 * Every key of the queues. The hash tag is written here and nowhere else: all keys of one queue share a slot of a
 * cluster, so each script runs whole on one node. A queue is named by one of its slots (`model/shards`), which without shards
 * is its name. docs/keyspace.md tells what is in them.
 */
export interface QueueKeys {
  /**
   * Hash: what operators say of the queue, for its scripts to read (see `model/queue-meta.ts`), and `paused`. The queue exists
   * while this hash has the field `format`.
   */
  readonly settings: string;
  /**
   * Hash: what the scripts keep of the queue. Among it `bytes` (of the frames that wait, only kept while `max-bytes` is set),
   * `stale` (entries in the lists whose message has ended), `offers` (made ever), `trim` (how far a trimming pass is).
   */
  readonly state: string;
  /** Hash: entry → frame, for every message the queue holds, wherever its entry stands. An entry without a frame is stale. */
  readonly messages: string;
  /** Hash: id that a publisher gave → entry of the message that has it; of several that have it, with spaces between. */
  readonly ids: string;
  /** Sorted set: an id whose message was handled, or an entry of ours that ended → until when a repetition is recognised. */
  readonly seen: string;
  /** List of entries, priority 0, what came last: tail is right. `ready:<p>` holds priority p; `front` and `kept` likewise. */
  readonly ready: string;
  /** List of entries that come before those in `ready`: what the last trimming pass left. */
  readonly front: string;
  /** List of entries that come before all others: what the present trimming pass has left so far. */
  readonly kept: string;
  /** Sorted set: entry → when it is due, ms of Redis' clock. */
  readonly delayed: string;
  /** Sorted set: entry → when it expires, ms of Redis' clock, wherever in the queue it stands. */
  readonly expiry: string;
  /** Sorted set: consumer id → lease deadline, ms of Redis' clock. */
  readonly consumers: string;
  /** Hash: consumer id → who it is, as JSON. */
  readonly consumerInfo: string;
  /**
   * Sorted set, all scores 0: ids of the consumers that have room and found nothing, best rank first. Whoever makes n
   * messages ready, or puts one at the head of `delayed`, wakes as many: `ZPOPMIN idle n`, then RPUSH `wake` those ids.
   */
  readonly idle: string;
  /** List: one element, the id of a consumer taken out of `idle`, wakes one consumer (BLPOP). */
  readonly wake: string;
  /** Hash: entry → delivery count, only of what was redelivered. */
  readonly counts: string;
  /** Sorted set: entry → number of its line, of messages whose ending means something elsewhere. See `ended.ts`. */
  readonly ended: string;
  /** Hash: entry → the line: what follows from its ending. See `model/line.ts`. */
  readonly followUps: string;
  /** Sorted set: entry → when it expires, of messages that a consumer holds: they do not expire meanwhile. */
  readonly held: string;
  /** Hash: entry → what its handler last reported as its progress, as JSON. */
  readonly progress: string;
  /** Hash: entry → the consumer that holds it and is to give it up. */
  readonly cancels: string;
  /** Hash: entry → which of several handlers are through with it, as JSON. */
  readonly handled: string;
  /** Sorted set: entry → since when it is set aside because no handler was for it, ms of Redis' clock. */
  readonly parked: string;
  /** Set: ids of dead consumers whose messages are not all given back yet. */
  readonly dead: string;
  /** Sorted set: entry → number of the offer: it is on its way to a waiting consumer that has not claimed it yet. */
  readonly offered: string;
  /** Sorted set: entry → when it was completed, ms of Redis' clock and a fraction that keeps the order within one turn. */
  readonly completed: string;
  /** Hash: entry of a completed message → what is kept of it; `=` and an id that a publisher gave → entry of the last one that had it. */
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
 * The lists in which messages wait: of each priority level, the lowest first, `ready`, `front`, `kept`. Level 0 has these names,
 * level p has `ready:<p>` and so on. See `waiting.ts`.
 */
export function waitingKeys(keys: QueueKeys, priorities: number): string[] {
  const { ready, front, kept } = keys;
  return Array.from({ length: priorities }, (_, priority) =>
    [ready, front, kept].map((key) => (priority === 0 ? key : `${key}:${priority}`)),
  ).flat();
}

/** Where a queue of format 1 has its settings: it can be taken over when it is empty. */
export function formerMetaKey(prefix: string, queue: string): string {
  return `${queueBase(prefix, queue)}:meta`;
}

/** Set: entries of the messages that one consumer holds. */
export function unackedKey(prefix: string, queue: string, consumer: string): string {
  return `${queueBase(prefix, queue)}:unacked:${consumer}`;
}

/**
 * Sorted set: what a queue was brought from a slot of another. Entry → number of the line it came with; `!` and an entry it refused → the
 * same; `floor` → the lowest number that may still come. It expires.
 */
export function broughtKey(prefix: string, queue: string, source: string): string {
  return `${queueBase(prefix, queue)}:brought:${slotInKeys(source)}`;
}

/** String: what the handler of one message answered, as JSON. It expires. */
export function resultKey(prefix: string, queue: string, messageId: string): string {
  return `${queueBase(prefix, queue)}:result:${messageId}`;
}

/** String: what a publisher's recent script call did, so that the same call sent again does nothing. It expires. */
export function publishedKey(prefix: string, queue: string | undefined, publisher: string, place: number): string {
  const base = queue === undefined ? topologyBase(prefix) : queueBase(prefix, queue);
  return `${base}:published:${publisher}:${place}`;
}

/** The keys of one process that sends requests: a slot of their own. Its secret is known to those who may reply. */
export interface ReplyKeys {
  /**
   * Stream: an entry has fields `r`, each of them a reply; of items of a stream of replies first a field `a`, their author. Nothing is
   * popped: a reply whose way was cut off is read again. Made by the requester; it expires.
   */
  readonly replies: string;
  /** Hash: correlation id → how many items of its stream of replies were consumed. It expires. */
  readonly consumed: string;
}

export function replyKeys(prefix: string, secret: string): ReplyKeys {
  const base = `${prefix}:{reply:${secret}}`;
  return { replies: `${base}:replies`, consumed: `${base}:consumed` };
}

/** What is declared. One slot of a cluster. */
export interface TopologyKeys {
  /** Hash: `version`, which grows with every change that routing can notice; `logged`, how many edits `changes` has. */
  readonly meta: string;
  /** Hash: exchange name → settings as JSON. */
  readonly exchanges: string;
  /** Hash: queue name → settings as JSON. */
  readonly queues: string;
  /** Hash: binding id → binding as JSON. */
  readonly bindings: string;
  /** Sorted set: the last changes, each with the version that it made and the one that it follows → that version. */
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

/** String: which Broker looks after the queues without consumers. It expires. */
export function keeperKey(prefix: string): string {
  return `${topologyBase(prefix)}:keeper`;
}

function queueBase(prefix: string, queue: string): string {
  return `${prefix}:{queue:${slotInKeys(queue)}}`;
}

function topologyBase(prefix: string): string {
  return `${prefix}:{topology}`;
}
