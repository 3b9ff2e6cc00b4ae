import { TopicNotFoundError, UnavailableError } from '@millrace/core';
import { type DeadRecord, deadLetterFrame, deadLetterHeaders } from '../model/dead-letter.js';
import type { Topic } from '../model/topic.js';
import { deadLetterSource } from '../store/keys.js';
import type { ForeignEntries } from '../topics/foreign-entries.js';
import type { TopicCatalog } from '../topics/topic-catalog.js';
import type { Topics } from '../topics/topics.js';
import type { DeadLetterChannel } from './dead-letter-channel.js';

/** The offsets of a group that does not come back are forgotten after this time. */
const rememberMs = 30 * 86_400_000;

/** Where a record comes from: identifies it, so that its dead letter is not written twice. */
export interface DeadLetterOrigin {
  /** The topic, which decides where its dead letters go. */
  readonly topicId: number;
  /** Offsets below are committed: their dead letters are final. */
  readonly floor: number;
  /** How many times the group was set back here, and which append it was: a record that is handled again may fail again. */
  readonly pass: string;
}

/** Writes each dead letter once, and creates the dead-letter topic when it is first needed. */
export class DeadLetterWriter {
  readonly #channel: DeadLetterChannel;
  readonly #catalog: TopicCatalog;
  readonly #topics: Topics;
  readonly #foreignEntries: ForeignEntries;
  readonly #override: string | false | undefined;

  constructor(
    channel: DeadLetterChannel,
    {
      catalog,
      topics,
      foreignEntries,
    }: { readonly catalog: TopicCatalog; readonly topics: Topics; readonly foreignEntries: ForeignEntries },
    override: string | false | undefined,
  ) {
    this.#channel = channel;
    this.#catalog = catalog;
    this.#topics = topics;
    this.#foreignEntries = foreignEntries;
    this.#override = override;
  }

  /**
   * Writes a dead letter, into the partition of the same number.
   *
   * @returns false when the topic keeps no dead letters, or this one would loop: its target is the topic that holds it, or the
   *   one it came from as a dead letter. The group that gave it up would get it again, endlessly
   * @throws when it could not be written; the record is then not finished
   */
  async write(dead: DeadRecord, origin: DeadLetterOrigin): Promise<boolean> {
    const known = this.#catalog.peek(dead.topic);
    const source = known?.id === origin.topicId ? known : await this.#catalog.refresh(dead.topic);
    const name = this.#override ?? (source.deadLetter === false ? false : source.deadLetter.topic);
    if (name === false || name === dead.topic || name === dead.record.headers[deadLetterHeaders.topic]) return false;
    let topic = await this.#ensure(name, source);
    const timestamp = Date.now();
    const frame = deadLetterFrame(dead, timestamp);
    for (let attempt = 1; attempt <= 2; attempt++) {
      const reply = await this.#channel.copy({
        topic: topic.name,
        topicId: topic.id,
        partition: dead.partition % topic.partitions,
        source: deadLetterSource(dead.group, dead),
        sourceOffset: dead.record.offset,
        pass: origin.pass,
        floor: origin.floor,
        timestamp,
        count: 1,
        frame,
        rememberMs,
      });
      if (reply.kind === 'copied' || reply.kind === 'repeated') return true;
      if (reply.kind === 'blocked') {
        await this.#foreignEntries.remove({ topic: topic.name, partition: dead.partition % topic.partitions });
        continue;
      }
      // The topic was deleted since this process read its settings, or a declaration is under way.
      this.#catalog.forget(name);
      topic = await this.#ensure(name, source);
    }
    throw new UnavailableError(
      `topic "${name}" was deleted, or another program wrote to it, while a dead letter was written to it.`,
    );
  }

  /** Writes nothing from now on. */
  close(): void {
    this.#channel.close();
  }

  async #ensure(name: string, source: Topic): Promise<Topic> {
    try {
      return await this.#catalog.get(name);
    } catch (error) {
      if (!(error instanceof TopicNotFoundError)) throw error;
    }
    const { maxAgeMs, maxRecords, maxBytes } = source.retention;
    const declared = await this.#topics.declare({
      name,
      partitions: source.partitions,
      codec: source.codec,
      compression: source.compression,
      // There may be no registered group, and a rejected dead letter would block the group.
      retention: { maxAgeMs, maxRecords, maxBytes, unread: 'expire' },
      deadLetter: false,
    });
    return declared;
  }
}
