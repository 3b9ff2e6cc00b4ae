import type { CodecRegistry } from '@millrace/core';
import type { Events } from '@millrace/delivery';
import type { RedisConnection } from '@millrace/redis';
import type { DecodedBytes } from '../partition/decoded-bytes.js';
import type { PartitionReader } from '../reader/partition-reader.js';
import type { ForeignEntries } from '../topics/foreign-entries.js';
import type { TopicCatalog } from '../topics/topic-catalog.js';
import type { Topics } from '../topics/topics.js';

/** What a consumer shares with the other objects of its Log. */
export interface ConsumerDependencies {
  readonly connection: RedisConnection;
  readonly events: Events;
  readonly codecs: CodecRegistry;
  readonly catalog: TopicCatalog;
  readonly topics: Topics;
  readonly reader: PartitionReader;
  readonly foreignEntries: ForeignEntries;
  readonly decoded: DecodedBytes;
  readonly onStopped?: (() => void) | undefined;
}
