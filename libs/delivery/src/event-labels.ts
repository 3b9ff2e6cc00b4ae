/** Which handler of which source: one frozen object a handler, so that an event costs no allocation for it. */
export interface HandlerLabels {
  /** The handler's name, `OrderController.onOrder` say. */
  readonly handler: string;
  /** `topic:orders` or `queue:notifications`. */
  readonly source: string;
  /** The consumer group of a log handler. */
  readonly group?: string | undefined;
}

/** Which message an event is of: a record by its place and key, a message of a queue by its id. */
export interface MessageIdentity {
  /** Of a record: its partition. */
  readonly partition?: number | undefined;
  /** Of a record: its place in the partition. */
  readonly offset?: number | undefined;
  /** Of a record that was sent with one. */
  readonly key?: string | undefined;
  /** Of a message of a queue. */
  readonly messageId?: string | undefined;
}

/** A consumer of this process while it runs. */
export interface RunningConsumer extends HandlerLabels {
  /** Handlers that have begun and not ended. */
  readonly running: () => number;
  /** Of a group's member: partitions that stand still because their next batch can only be read by a newer process. */
  readonly unreadable?: (() => number) | undefined;
}
