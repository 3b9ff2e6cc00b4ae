import { isSourceThere, readSources } from '@millrace/admin';
import { within } from '@millrace/core';
import type { RedisConnection } from '@millrace/redis';
import { others } from './roster.js';

/** Counts by source whose sources can be removed one by one. */
export interface CountsBySource {
  names(): readonly string[];
  forget(name: string): void;
}

/**
 * Removes the counts of a topic, queue or exchange that any process deleted. It reads the sources at each scrape: simultaneous calls
 * share one read, and while Redis is away nothing is removed.
 */
export class GoneSources {
  readonly #connection: RedisConnection;
  readonly #timeoutMs: number;
  readonly #counts: CountsBySource[] = [];
  #looking: Promise<void> | undefined;

  /** `timeoutMs`: how long a scrape waits for the read. */
  constructor(connection: RedisConnection, timeoutMs: number) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
  }

  watch(counts: CountsBySource): void {
    this.#counts.push(counts);
  }

  /** Resolves after the read, or when the time is over. */
  forget(): Promise<void> {
    this.#looking ??= this.#forget().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #forget(): Promise<void> {
    if (!this.#connection.isUp) return;
    // Counts from now on may belong to a source that was declared after the read.
    const named = (counts: CountsBySource) => counts.names().filter((name) => name !== others);
    const counted = this.#counts.map((counts) => ({ counts, names: named(counts) }));
    const sources = await within(
      readSources(this.#connection).catch(() => undefined),
      this.#timeoutMs,
    );
    if (sources === undefined) return;
    for (const { counts, names } of counted) {
      for (const name of names) if (!isSourceThere(sources, name)) counts.forget(name);
    }
  }
}
