import type { Codec } from '@millrace/core';
import type { FirstUse } from '@millrace/delivery';
import type { RedisConnection } from '@millrace/redis';
import type { ForeignEntries } from '../topics/foreign-entries.js';
import type { TopicCatalog } from '../topics/topic-catalog.js';

/** What a Log provides to its producers. */
export interface ProducerDependencies {
  readonly connection: RedisConnection;
  readonly catalog: TopicCatalog;
  readonly foreignEntries: ForeignEntries;
  /** By name. */
  readonly codecs: ReadonlyMap<string, Codec>;
  /** What must be done before an unknown topic is looked up; undefined: nothing. */
  readonly firstUse: () => FirstUse | undefined;
  readonly onBackgroundError: (duty: string, error: unknown) => void;
  readonly onClosed: () => void;
}
