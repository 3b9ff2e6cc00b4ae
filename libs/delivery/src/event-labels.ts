/** The handler and source of an event: one frozen object per handler, so that events do not allocate it. */
export interface HandlerLabels {
  /** The handler's name, such as `OrderController.onOrder`. */
  readonly handler: string;
  /** `topic:orders` or `queue:notifications`. */
  readonly source: string;
  /** The consumer group of a log handler. */
  readonly group?: string | undefined;
}

/** The message of an event: a record by its position and key, a message of a queue by its id. */
export interface MessageIdentity {
  /** The partition of a record. */
  readonly partition?: number | undefined;
  /** The offset of a record. */
  readonly offset?: number | undefined;
  /** The key of a record, if it has one. */
  readonly key?: string | undefined;
  /** The id of a message of a queue. */
  readonly messageId?: string | undefined;
}

/** A running consumer of this process. */
export interface RunningConsumer extends HandlerLabels {
  /** The number of handlers that have begun and not ended. */
  readonly running: () => number;
  /** For a group's member: the number of partitions that stand still because only a newer process can read their next batch. */
  readonly unreadable?: (() => number) | undefined;
}
