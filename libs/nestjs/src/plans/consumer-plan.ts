import type { GroupConsumer } from '@millrace/log';
import type { QueueConsumer } from '@millrace/queue';
import type { Millrace } from '../module/millrace.js';
import type { Topology } from '../topology/topology.js';

/** A plan from which a consumer can be created any number of times: a stopped service cannot be started again. */
export interface ConsumerPlan {
  /** The handlers it runs. */
  readonly label: string;
  /** Describes the source. Two consumers of one source would take messages from each other. */
  readonly source: string;
  readonly millrace: Millrace;
  /** What must be declared before it starts. */
  readonly topology: Partial<Topology>;
  /** Whether `queue` is created for it, so that its name needs no declaration. */
  readonly ownsQueue?: boolean;
  /** The queue it consumes from, if it is one. */
  readonly queue?: string;
  /** The group it is a member of, if it is one of a log. */
  readonly group?: string;
  /** The topics it reads, by name or by pattern. */
  readonly topics?: RegExp | readonly string[];
  /** @throws {OptionsError} */
  readonly make: () => QueueConsumer | GroupConsumer;
}
